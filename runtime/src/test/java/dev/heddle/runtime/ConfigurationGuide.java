package dev.heddle.runtime;

import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.HeadsFileKey.Place;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes docs/configuration.md from what the reader accepts and the patterns declare. */
final class ConfigurationGuide {
  private static final ModelShape EXAMPLE = new ModelShape(8, 8, 2, 64);

  private final List<PatternRegistry.Entry> patterns;

  ConfigurationGuide(PatternRegistry registry) {
    this.patterns = registry.entries();
  }

  String text() {
    return """
    # Configuration

    <!-- Generated from the code; ConfigurationGuideTest compares them and says how to write this file anew. -->

    A *heads file* says which pattern, with which options, each head of a model uses. `heddle run` and `heddle attend` read it,
    `heddle check FILE` validates it, and a program hands it to `SparseAttention.builder().heads(Path)`. It is JSON in UTF-8.
    An unknown key, a wrong type, a head that is claimed twice or not at all is an error that names the place, the value and
    what is allowed.

    ## The heads file

    %s
    ### `shape`

    %s
    ### `defaults`

    %s
    ### An entry of `heads`

    %s
    ## Patterns

    `heddle patterns` prints this list for your installation, with the patterns of plugins. Counts of tokens beyond the prompt
    mean all of it. "In chunks" says what changes when a prompt is read in parts (`--chunk N`), each with indices of its own.

    %s## All of it

    A heads file that names every option of every pattern, each with its default:

    ```json
    %s```

    [library.md](library.md) shows how a program says the same in code.
    """
        .formatted(
            keys(Place.FILE),
            keys(Place.SHAPE),
            keys(Place.DEFAULTS),
            keys(Place.ENTRY),
            patterns.stream().map(entry -> pattern(entry.pattern())).collect(Collectors.joining()),
            example().toJson());
  }

  /** Every pattern with every option: the first by default, each other in a layer. */
  HeadsConfig example() {
    HeadsConfig.Builder builder = HeadsConfig.builder(EXAMPLE);
    SparsePattern first = patterns.getFirst().pattern();
    builder.defaults(first.name(), allOptions(first));
    for (int i = 1; i < patterns.size(); i++) {
      SparsePattern pattern = patterns.get(i).pattern();
      builder.assign(String.valueOf(i), "0-7", pattern.name(), allOptions(pattern));
    }
    return builder.build();
  }

  private static Map<String, Object> allOptions(SparsePattern pattern) {
    return Options.defaults(pattern.options()).toMap();
  }

  private static String keys(Place place) {
    return "| key | value | | |\n|---|---|---|---|\n"
        + Arrays.stream(HeadsFileKey.values())
            .filter(key -> key.place() == place)
            .map(key ->
                "| `%s` | %s | %s | %s |\n"
                    .formatted(
                        key.key(),
                        key.value(),
                        key.required() ? "required" : "",
                        key.description()))
            .collect(Collectors.joining());
  }

  private static String pattern(SparsePattern pattern) {
    String options =
        pattern.options().stream().map(ConfigurationGuide::option).collect(Collectors.joining());
    return "### `%s`\n\n%s.\n\nIn chunks: %s.\n\n%s\n"
        .formatted(
            pattern.name(),
            capitalised(pattern.description()),
            pattern.inChunks(),
            options.isEmpty()
                ? "It has no options.\n"
                : "| option | default | allowed | |\n|---|---|---|---|\n" + options);
  }

  private static String option(Option<?> option) {
    return "| `%s` | %s | %s | %s |\n"
        .formatted(option.name(), option.defaultValue(), option.allowed(), option.description());
  }

  private static String capitalised(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }
}
