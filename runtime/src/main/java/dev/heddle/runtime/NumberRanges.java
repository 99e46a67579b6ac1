package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A set of layer or head numbers as heads files write it: {@code "0-3,7"}. */
final class NumberRanges {
  private static final Pattern PART = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  private final BitSet numbers;

  private NumberRanges(BitSet numbers) {
    this.numbers = numbers;
  }

  /**
   * Reads {@code text}.
   *
   * @param count how many numbers there are: 0 to {@code count - 1} are allowed
   * @throws InvalidInputException saying what is wrong with which part
   */
  static NumberRanges parse(String text, int count) {
    BitSet numbers = new BitSet(count);
    for (String part : text.split(",", -1)) {
      addPart(part, count, numbers);
    }
    return new NumberRanges(numbers);
  }

  /** The numbers, rising. */
  int[] toArray() {
    return numbers.stream().toArray();
  }

  private static void addPart(String part, int count, BitSet numbers) {
    Matcher matcher = PART.matcher(part);
    if (!matcher.matches()) {
      throw new InvalidInputException(
          "%s is no number or range; allowed: numbers and ranges joined by commas, such as \"0-3,7\""
              .formatted(Quoted.text(part)));
    }
    int first = Integer.parseInt(matcher.group(1));
    int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
    if (last < first) {
      throw new InvalidInputException(
          "the range \"%s\" is reversed; allowed: \"%d-%d\"".formatted(part, last, first));
    }
    if (last >= count) {
      throw new InvalidInputException(
          "%d in \"%s\" is out of range; allowed: 0 to %d".formatted(last, part, count - 1));
    }
    int repeated = numbers.nextSetBit(first);
    if (repeated >= 0 && repeated <= last) {
      throw new InvalidInputException(repeated + " is named twice; allowed: once");
    }
    numbers.set(first, last + 1);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NumberRanges ranges && numbers.equals(ranges.numbers);
  }

  @Override
  public int hashCode() {
    return numbers.hashCode();
  }

  /** The shortest text that {@link #parse} reads as these numbers. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    for (int first = numbers.nextSetBit(0); first >= 0; ) {
      int end = numbers.nextClearBit(first);
      parts.add(end - first == 1 ? String.valueOf(first) : first + "-" + (end - 1));
      first = numbers.nextSetBit(end);
    }
    return String.join(",", parts);
  }
}
