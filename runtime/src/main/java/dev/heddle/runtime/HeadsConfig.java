package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Which pattern, with which options, each head of a model uses: the value of a heads file.
 *
 * <p>It names every head of {@link #shape} once, by entries and defaults, but has not looked any
 * pattern up; {@link AttentionPlan#resolve} does. Two are equal when they assign the same in the
 * same order, from wherever they came and whatever their notes.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class HeadsConfig {
  /** The value of {@code "format"} in the files that this version reads and writes. */
  public static final String FORMAT = "heddle-heads/1";

  /** More heads than any model has, and few enough to count one by one. */
  static final int MOST_HEADS = 1 << 20;

  private static final String IN_CODE = "heads configuration built in code";

  private final String origin;
  private final ModelShape shape;
  private final Optional<PatternChoice> defaults;
  private final List<Entry> entries;
  private final Map<String, Object> notes;
  private final List<Map<String, Object>> entryNotes;

  private HeadsConfig(Builder builder) {
    this.origin = builder.origin;
    this.shape = builder.shape;
    this.defaults = builder.defaults;
    this.entries = List.copyOf(builder.entries);
    this.notes = builder.notes;
    this.entryNotes = List.copyOf(builder.entryNotes);
  }

  /** One element of {@code "heads"}: the heads of some layers, and their pattern. */
  record Entry(NumberRanges layers, NumberRanges heads, PatternChoice choice) {}

  /**
   * Reads a heads file.
   *
   * @throws HeadsFileException if it cannot be read or is not a heads file in every detail, naming
   *     the place, the value and what is allowed
   */
  public static HeadsConfig read(Path file) {
    return parse(HeadsFileText.read(file), file.toString());
  }

  /**
   * Reads the text of a heads file.
   *
   * @param fileName what messages call it
   * @throws HeadsFileException as {@link #read}
   */
  public static HeadsConfig parse(String json, String fileName) {
    return new HeadsFileReader(fileName).parse(json);
  }

  /** Starts a configuration for a model of {@code shape}. */
  public static Builder builder(ModelShape shape) {
    return new Builder(IN_CODE, shape);
  }

  /** One pattern for all heads. */
  public static HeadsConfig uniform(ModelShape shape, String pattern, Map<String, ?> options) {
    return builder(shape).defaults(pattern, options).build();
  }

  /** The model that this is for. */
  public ModelShape shape() {
    return shape;
  }

  /**
   * Remarks for people and tools, which assign nothing: what JSON knows, by name. Read from a file
   * they are as they stand there.
   */
  public Map<String, Object> notes() {
    return notes;
  }

  /** The remarks on each entry, in the order of the entries. */
  public List<Map<String, Object>> entryNotes() {
    return entryNotes;
  }

  /** The text of a heads file that reads back as an equal configuration with equal notes. */
  public String toJson() {
    return HeadsFileWriter.write(this);
  }

  /** The file, or words that say that there is none: for messages. */
  String origin() {
    return origin;
  }

  Optional<PatternChoice> defaults() {
    return defaults;
  }

  List<Entry> entries() {
    return entries;
  }

  /** For each head, {@code layer * queryHeads + head}, the entry that claims it, or -1. */
  int[] claims() {
    int[] claims = new int[shape.layers() * shape.queryHeads()];
    Arrays.fill(claims, -1);
    for (int entry = 0; entry < entries.size(); entry++) {
      for (int layer : entries.get(entry).layers().toArray()) {
        for (int head : entries.get(entry).heads().toArray()) {
          claim(claims, entry, layer, head);
        }
      }
    }
    return claims;
  }

  private void claim(int[] claims, int entry, int layer, int head) {
    int place = layer * shape.queryHeads() + head;
    if (claims[place] >= 0) {
      throw new HeadsFileException(
          origin,
          "heads[" + entry + "]",
          "layer %d, head %d is already claimed by heads[%d]; allowed: one entry for a head"
              .formatted(layer, head, claims[place]));
    }
    claims[place] = entry;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof HeadsConfig config
        && shape.equals(config.shape)
        && defaults.equals(config.defaults)
        && entries.equals(config.entries);
  }

  @Override
  public int hashCode() {
    return Objects.hash(shape, defaults, entries);
  }

  @Override
  public String toString() {
    return "HeadsConfig[%s: %s, %d entries]".formatted(origin, shape, entries.size());
  }

  /** Collects the entries of a configuration. Not safe for use by several threads. */
  public static final class Builder {
    private final String origin;
    private final ModelShape shape;
    private Optional<PatternChoice> defaults = Optional.empty();
    private final List<Entry> entries = new ArrayList<>();
    private final List<Map<String, Object>> entryNotes = new ArrayList<>();
    private Map<String, Object> notes = Map.of();

    Builder(String origin, ModelShape shape) {
      this.origin = origin;
      this.shape = shape;
      if ((long) shape.layers() * shape.queryHeads() > MOST_HEADS) {
        throw new HeadsFileException(
            origin,
            "shape",
            "%d layers of %d query heads are too many; allowed: %d heads in all"
                .formatted(shape.layers(), shape.queryHeads(), MOST_HEADS));
      }
    }

    /**
     * Says what the heads use that no entry claims.
     *
     * @param options option name to value: a number, a {@code Boolean}, or text that spells one;
     *     options that are not named have their defaults
     */
    public Builder defaults(String pattern, Map<String, ?> options) {
      return defaults(PatternChoice.inCode(pattern, options));
    }

    /**
     * Adds an entry: what some heads of some layers use.
     *
     * @param layers numbers and ranges joined by commas, such as {@code "0-2"}
     * @param heads query heads, in the same form, such as {@code "0-3,7"}
     * @param options as in {@link #defaults(String, Map)}
     * @throws HeadsFileException if the model has no such layers or heads
     */
    public Builder assign(String layers, String heads, String pattern, Map<String, ?> options) {
      return assign(layers, heads, PatternChoice.inCode(pattern, options));
    }

    /**
     * Sets the remarks on the whole.
     *
     * @param notes name to value: text, numbers, booleans, and lists and maps of these
     */
    public Builder notes(Map<String, ?> notes) {
      this.notes = HeadsFileWriter.plain(notes);
      return this;
    }

    /**
     * Sets the remarks on the entry that was added last.
     *
     * @param notes as in {@link #notes}
     * @throws IllegalStateException if there is no entry yet
     */
    public Builder entryNotes(Map<String, ?> notes) {
      if (entries.isEmpty()) {
        throw new IllegalStateException("there is no entry to remark on");
      }
      entryNotes.set(entryNotes.size() - 1, HeadsFileWriter.plain(notes));
      return this;
    }

    Builder defaults(PatternChoice choice) {
      defaults = Optional.of(choice);
      return this;
    }

    Builder assign(String layers, String heads, PatternChoice choice) {
      entries.add(
          new Entry(
              ranges("layers", layers, shape.layers()),
              ranges("heads", heads, shape.queryHeads()),
              choice));
      entryNotes.add(Map.of());
      return this;
    }

    /**
     * The configuration.
     *
     * @throws HeadsFileException if two entries claim one head, or a head has no pattern
     */
    public HeadsConfig build() {
      HeadsConfig config = new HeadsConfig(this);
      int[] claims = config.claims();
      if (defaults.isEmpty()) {
        requireAllClaimed(claims);
      }
      return config;
    }

    private void requireAllClaimed(int[] claims) {
      long missing = Arrays.stream(claims).filter(entry -> entry < 0).count();
      for (int i = 0; i < claims.length; i++) {
        if (claims[i] < 0) {
          throw new HeadsFileException(
              origin,
              "heads",
              "%d of %d heads have no pattern, the first is layer %d, head %d; claim them, or add \"defaults\""
                  .formatted(
                      missing, claims.length, i / shape.queryHeads(), i % shape.queryHeads()));
        }
      }
    }

    private NumberRanges ranges(String key, String text, int count) {
      try {
        return NumberRanges.parse(text, count);
      } catch (InvalidInputException bad) {
        throw new HeadsFileException(origin, "heads[" + entries.size() + "]." + key, bad);
      }
    }
  }
}
