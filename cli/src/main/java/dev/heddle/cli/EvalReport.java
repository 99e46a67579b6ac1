package dev.heddle.cli;

import dev.heddle.llm.LlamaModel;
import dev.heddle.search.EvalPlan;
import dev.heddle.search.EvalRow;
import dev.heddle.search.EvalTask;
import dev.heddle.search.Proportion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The outcome of an evaluation. As JSON its {@code "format"} is {@code "heddle-eval/1"}: the
 * setting, then {@code "results"}, a list of rows with the same keys, of which those that make no
 * sense for a task are left out.
 */
record EvalReport(Setting setting, EvalPlan plan, List<EvalRow> rows) implements Result {
  /**
   * Who was judged, on what.
   *
   * @param chunkTokens most tokens of a prompt that were read at once
   */
  record Setting(
      String model, String text, List<String> heads, String backend, int threads, int chunkTokens) {
    boolean inChunks() {
      return chunkTokens < LlamaModel.Settings.ONE_PASS;
    }
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", EvalView.FORMAT);
    object.put("heddle", Version.number());
    object.put("model", setting.model());
    object.put("text", setting.text());
    object.put("heads", setting.heads());
    object.put("backend", setting.backend());
    object.put("threads", setting.threads());
    if (setting.inChunks()) {
      object.put("chunkTokens", setting.chunkTokens());
    }
    object.put("seed", plan.seed());
    object.put("results", rows.stream().map(EvalRow::json).toList());
    return object;
  }

  @Override
  public void print(Console console) {
    Table table = new Table(2);
    table.row("task", "heads", "tokens", "right", "95 %", "bits/byte", "first token", "density");
    for (EvalRow row : rows) {
      table.row(
          row.task().key() + (row.depth().isPresent() ? " at " + row.depth().getAsDouble() : ""),
          row.heads(),
          Shown.count(row.tokens()),
          row.answers().map(answers -> answers.right() + " of " + answers.asked()).orElse(""),
          row.answers().map(EvalReport::interval).orElse(""),
          row.bitsPerByte().isPresent()
              ? String.format(Locale.ROOT, "%.4f", row.bitsPerByte().getAsDouble())
              : "",
          Shown.seconds(row.firstTokenNanos()),
          Shown.percent(row.density()));
    }
    table.print(console.out(), "  ");
    console.out().println();
    console
        .out()
        .println(
            "  %s backend, %d threads%s."
                .formatted(
                    setting.backend(),
                    setting.threads(),
                    setting.inChunks()
                        ? "; prompts are read in chunks of "
                            + Shown.count(setting.chunkTokens())
                            + " tokens"
                        : ""));
    for (EvalTask task :
        plan.tasks().stream().filter(one -> EvalView.unanswered(one, rows)).toList()) {
      console
          .out()
          .println(
              "  The model answers no question of %s with dense attention: nothing is said about the heads there."
                  .formatted(task.key()));
    }
  }

  private static String interval(Proportion answers) {
    return String.format(Locale.ROOT, "%.0f–%.0f %%", 100 * answers.low(), 100 * answers.high());
  }
}
