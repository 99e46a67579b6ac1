package dev.heddle.cli;

import dev.heddle.search.Choice;
import dev.heddle.search.SearchResult;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The outcome of a search. As JSON its {@code "format"} is {@code "heddle-search/1"}: the setting,
 * then {@code "heads"}, for each head what was chosen and all that it could have been.
 */
record SearchReport(Setting setting, String out, SearchResult result) implements Result {
  /** Who searched, with what. */
  record Setting(String model, String samples, String goal, String backend, int threads) {}

  /** What the heads file remarks on the whole. */
  Map<String, Object> notes() {
    Map<String, Object> notes = new LinkedHashMap<>();
    notes.put("found", "by heddle search " + Version.number());
    notes.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    notes.put("model", setting.model());
    notes.put("samples", setting.samples());
    notes.put("goal", setting.goal());
    notes.put("backend", setting.backend() + ", " + setting.threads() + " threads");
    notes.put("speedup", result.speedup());
    notes.put("error", result.error());
    result.loss().ifPresent(nats -> notes.put("loss", nats));
    notes.put("costs", result.costNotes());
    return notes;
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", SearchView.FORMAT);
    object.put("out", out);
    object.putAll(notes());
    object.putAll(result.json());
    return object;
  }

  @Override
  public void print(Console console) {
    Map<String, List<Choice>> byPattern = new LinkedHashMap<>();
    result
        .chosen()
        .forEach(choice ->
            byPattern.computeIfAbsent(choice.pattern(), _ -> new ArrayList<>()).add(choice));
    Table table = new Table(1);
    table.row("pattern", "heads", "density", "error", "recall");
    byPattern.forEach((pattern, choices) ->
        table.row(
            pattern,
            "" + choices.size(),
            Shown.percent(choices.stream().mapToDouble(Choice::density).average().orElse(1)),
            String.format(
                Locale.ROOT,
                "%.3f",
                choices.stream().mapToDouble(Choice::meanError).average().orElse(0)),
            String.format(
                Locale.ROOT,
                "%.3f",
                choices.stream().mapToDouble(Choice::meanRecall).average().orElse(1))));
    console.out().println(out + ": " + Shown.sizes(result.shape()));
    table.print(console.out(), "  ");
    console
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "  attention %.1fx as fast as dense, output error %.3f (root mean square of the heads)",
                result.speedup(),
                result.error()));
  }
}
