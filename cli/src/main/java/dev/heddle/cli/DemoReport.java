package dev.heddle.cli;

import dev.heddle.search.Fact;
import dev.heddle.search.FactExamBuilder;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The outcome of the demonstration.
 *
 * @param setting what was run, in one or two sentences
 * @param size the job's size
 * @param runs the runs by name: {@code dense}, {@code sparse}, or one of them
 */
record DemoReport(Setting setting, FactExamBuilder.Size size, Map<String, DemoRun> runs)
    implements Result {
  static final String DENSE = "dense";
  static final String SPARSE = "sparse";

  /** Who ran it, on what. */
  record Setting(String model, String text, String heads, String backend, int threads) {}

  /** The job fails when the sparse run answers less than half of what the dense run answers. */
  @Override
  public boolean succeeded() {
    DemoRun dense = runs.get(DENSE);
    DemoRun sparse = runs.get(SPARSE);
    return dense == null || sparse == null || 2 * sparse.right() >= dense.right();
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("model", setting.model());
    object.put("text", setting.text());
    object.put("heads", setting.heads());
    object.put("backend", setting.backend());
    object.put("threads", setting.threads());
    object.put("tokens", size.tokens());
    object.put("facts", size.facts());
    object.put("questions", size.questions());
    object.put("seed", size.seed());
    runs.forEach((name, run) -> object.put(name, run.json()));
    DemoRun dense = runs.get(DENSE);
    DemoRun sparse = runs.get(SPARSE);
    if (dense != null && sparse != null) {
      object.put(
          "speedup",
          (double) dense.reading().firstTokenNanos() / sparse.reading().firstTokenNanos());
    }
    return object;
  }

  @Override
  public void print(Console console) {
    PrintWriter out = console.out();
    Table table = new Table(1);
    row(table, "", runs.keySet().stream().toList(), ratioHeader());
    time(table, "time to first token", run -> run.reading().firstTokenNanos());
    row(table, "  building indices", cells(run -> Shown.seconds(run.reading().indexNanos())), "");
    time(table, "  attention", run -> run.reading().attentionNanos());
    row(table, "  all else", cells(run -> Shown.seconds(run.reading().restNanos())), "");
    row(table, "density", cells(run -> Shown.percent(run.reading().density())), "");
    row(table, "answers right", cells(run -> run.right() + " of " + run.answers().size()), "");
    table.print(out, "  ");
    out.println();
    printExample(out);
    out.println();
    out.println(
        "  %s backend, %d threads, the same kernels for both; warmed up with %,d tokens each."
            .formatted(
                setting.backend(),
                setting.threads(),
                Math.min(size.tokens(), DemoRunner.WARM_UP_TOKENS)));
  }

  private void printExample(PrintWriter out) {
    DemoRun first = runs.values().iterator().next();
    int shown = 0;
    for (int i = 0; i < first.answers().size(); i++) {
      if (first.answers().get(i).right()) {
        shown = i;
        break;
      }
    }
    Fact fact = first.answers().get(shown).fact();
    out.println("  For example:" + fact.question().replace("[" + fact.word() + ":", "..."));
    out.println("  The text says " + fact.number() + ".");
    for (Map.Entry<String, DemoRun> run : runs.entrySet()) {
      String text = run.getValue().answers().get(shown).text();
      out.println(
          "  The " + run.getKey() + " run answers " + text.replace(Fact.END_OF_ANSWER, "") + ".");
    }
  }

  private String ratioHeader() {
    return runs.size() == 2 ? "ratio" : "";
  }

  private void time(Table table, String name, Function<DemoRun, Long> nanos) {
    DemoRun dense = runs.get(DENSE);
    DemoRun sparse = runs.get(SPARSE);
    String ratio = "";
    if (dense != null && sparse != null) {
      ratio = Shown.ratio((double) nanos.apply(dense) / nanos.apply(sparse)) + "x";
    }
    row(table, name, cells(run -> Shown.seconds(nanos.apply(run))), ratio);
  }

  private List<String> cells(Function<DemoRun, String> cell) {
    return runs.values().stream().map(cell).toList();
  }

  private static void row(Table table, String name, List<String> cells, String last) {
    List<String> all = new ArrayList<>(List.of(name));
    all.addAll(cells);
    all.add(last);
    table.row(all.toArray(String[]::new));
  }
}
