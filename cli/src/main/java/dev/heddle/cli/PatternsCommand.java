package dev.heddle.cli;

import dev.heddle.api.Option;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code heddle patterns}: what heads may be assigned to. */
@Command(
    name = "patterns",
    description =
        "List the patterns that were found, their options, and where they came from; and those that"
            + " were refused, with the reason.")
final class PatternsCommand extends PatternCommand {
  PatternsCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() {
    PatternRegistry registry = findPatterns();
    return new Patterns(registry.entries(), registry.refusals());
  }

  /** The answer. */
  private record Patterns(List<Entry> entries, List<Refusal> refusals) implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("patterns", entries.stream().map(Patterns::json).toList());
      object.put("refused", refusals.stream().map(Patterns::json).toList());
      return object;
    }

    @Override
    public void print(Console console) {
      for (Entry entry : entries) {
        print(entry, console.out());
      }
      for (Refusal refusal : refusals) {
        console.out().println("refused: " + refusal.source());
        console.out().println("    " + refusal.reason());
      }
    }

    private static void print(Entry entry, PrintWriter out) {
      SparsePattern pattern = entry.pattern();
      out.println(pattern.name());
      out.println("    " + pattern.description());
      for (Option<?> option : pattern.options()) {
        out.println(
            "    %s=%s  (%s)".formatted(option.name(), option.defaultValue(), option.allowed()));
        out.println("        " + option.description());
      }
      out.println("    in chunks: " + pattern.inChunks());
      out.println("    from " + entry.source());
      entry.alsoIn().forEach(place -> out.println("    also in " + place));
      out.println();
    }

    private static Map<String, Object> json(Entry entry) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("name", entry.pattern().name());
      object.put("description", entry.pattern().description());
      object.put("inChunks", entry.pattern().inChunks());
      object.put("options", entry.pattern().options().stream().map(Patterns::json).toList());
      object.put("source", entry.source());
      object.put("alsoIn", entry.alsoIn());
      return object;
    }

    private static Map<String, Object> json(Option<?> option) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("name", option.name());
      object.put("type", option.type().getSimpleName().toLowerCase(Locale.ROOT));
      object.put("unit", option.unit());
      object.put("default", option.defaultValue());
      object.put("minimum", option.minimum());
      object.put("maximum", option.maximum());
      object.put("description", option.description());
      return object;
    }

    private static Map<String, Object> json(Refusal refusal) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("source", refusal.source());
      object.put("reason", refusal.reason());
      return object;
    }
  }
}
