package dev.heddle.runtime;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The keys of a heads file. The reader accepts these and no others, and docs/configuration.md is
 * made of them.
 */
enum HeadsFileKey {
  FORMAT(Place.FILE, "format", Use.REQUIRED, "a string", "The format's version: `heddle-heads/1`."),
  SHAPE(Place.FILE, "shape", Use.REQUIRED, "an object", "The model that the file is for."),
  DEFAULTS(
      Place.FILE,
      "defaults",
      Use.OPTIONAL,
      "an object",
      "What the heads use that no entry of `heads` claims. Without it, every head must be claimed."),
  HEADS(
      Place.FILE,
      "heads",
      Use.OPTIONAL,
      "an array",
      "Entries, each for some heads of some layers. Two entries may not claim one head."),
  FILE_NOTES(Place.FILE, "notes", Use.OPTIONAL, "an object", Words.NOTES),

  LAYERS(Place.SHAPE, "layers", Use.REQUIRED, Words.SIZE, "Decoder layers."),
  QUERY_HEADS(Place.SHAPE, "queryHeads", Use.REQUIRED, Words.SIZE, "Query heads of each layer."),
  KEY_VALUE_HEADS(
      Place.SHAPE,
      "keyValueHeads",
      Use.REQUIRED,
      Words.SIZE,
      "Key/value heads of each layer; divides `queryHeads`."),
  HEAD_DIM(
      Place.SHAPE,
      "headDim",
      Use.REQUIRED,
      Words.SIZE,
      "Numbers in a row of Q, K or V of one head."),

  DEFAULT_PATTERN(Place.DEFAULTS, "pattern", Use.REQUIRED, "a string", Words.PATTERN),
  DEFAULT_OPTIONS(Place.DEFAULTS, "options", Use.OPTIONAL, "an object", Words.OPTIONS),
  DEFAULT_NOTES(Place.DEFAULTS, "notes", Use.OPTIONAL, "an object", Words.NOTES),

  ENTRY_LAYERS(
      Place.ENTRY,
      "layers",
      Use.REQUIRED,
      "a string",
      "Layers, from 0: numbers and ranges joined by commas, such as `0-2,5`."),
  ENTRY_HEADS(
      Place.ENTRY,
      "heads",
      Use.REQUIRED,
      "a string",
      "Query heads of each of these layers, in the same form."),
  ENTRY_PATTERN(Place.ENTRY, "pattern", Use.REQUIRED, "a string", Words.PATTERN),
  ENTRY_OPTIONS(Place.ENTRY, "options", Use.OPTIONAL, "an object", Words.OPTIONS),
  ENTRY_NOTES(Place.ENTRY, "notes", Use.OPTIONAL, "an object", Words.NOTES);

  private final Place place;
  private final String key;
  private final Use use;
  private final String value;
  private final String description;

  HeadsFileKey(Place place, String key, Use use, String value, String description) {
    this.place = place;
    this.key = key;
    this.use = use;
    this.value = value;
    this.description = description;
  }

  /** The objects of a heads file. */
  enum Place {
    FILE,
    SHAPE,
    DEFAULTS,
    ENTRY
  }

  private enum Use {
    REQUIRED,
    OPTIONAL
  }

  /** What several keys share. */
  private static final class Words {
    static final String SIZE = "an integer from 1 to " + Integer.MAX_VALUE;
    static final String PATTERN = "Name of a pattern.";
    static final String OPTIONS = "The pattern's options; those not named have their defaults.";
    static final String NOTES = "Remarks for people, in any form.";

    private Words() {}
  }

  /** The keys that the objects of {@code place} may have. */
  static Set<String> namesIn(Place place) {
    return Arrays.stream(values())
        .filter(key -> key.place == place)
        .map(HeadsFileKey::key)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** The object that it belongs to. */
  Place place() {
    return place;
  }

  /** The key itself. */
  String key() {
    return key;
  }

  boolean required() {
    return use == Use.REQUIRED;
  }

  /** What its value may be, in the words of the reader's messages. */
  String value() {
    return value;
  }

  /** What it means, in Markdown. */
  String description() {
    return description;
  }
}
