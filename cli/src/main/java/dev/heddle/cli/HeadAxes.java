package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.util.List;

/** The axes of an array file: {@code [heads][tokens][headDim]}. */
record HeadAxes(int heads, int tokens, int headDim) {
  /**
   * Checks the axes that a file states.
   *
   * @param file the file, for messages
   * @throws InvalidInputException if there are not three of them, or one is not a size
   */
  static HeadAxes of(String file, List<Long> shape) {
    if (shape.size() != 3) {
      String hint =
          shape.size() == 4 && shape.getFirst() == 1 ? "; drop the batch axis with array[0]" : "";
      throw new InvalidInputException(
          "%s: shape %s has %d axes; needed: 3, [head][token][dim]%s"
              .formatted(file, shape, shape.size(), hint));
    }
    for (long axis : shape) {
      if (axis < 1 || axis > Integer.MAX_VALUE) {
        throw new InvalidInputException(
            "%s: shape %s: each axis must be from 1 to %d"
                .formatted(file, shape, Integer.MAX_VALUE));
      }
    }
    return new HeadAxes(shape.get(0).intValue(), shape.get(1).intValue(), shape.get(2).intValue());
  }

  /**
   * Bytes of an array of these axes.
   *
   * @throws InvalidInputException if no file can be so long
   */
  long bytes(String file, ElementType type) {
    try {
      return Math.multiplyExact(
          Math.multiplyExact((long) heads * tokens, headDim), (long) type.bytes());
    } catch (ArithmeticException overflow) {
      throw new InvalidInputException(file + ": " + this + " is larger than any file", overflow);
    }
  }

  @Override
  public String toString() {
    return "%d heads x %d tokens x %d numbers".formatted(heads, tokens, headDim);
  }
}
