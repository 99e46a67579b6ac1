package dev.heddle.cli;

import dev.heddle.search.EvalRow;
import dev.heddle.search.EvalTask;
import dev.heddle.search.Proportion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * An evaluation as it is shown, read from what {@code heddle eval --json} prints.
 *
 * @param model the model's name
 * @param about what else is said of the whole, by its name
 * @param heads the names of the heads that were judged, in order
 * @param rows what came of it
 */
record EvalView(String model, Map<String, String> about, List<String> heads, List<EvalRow> rows)
    implements ReportView {
  static final String FORMAT = "heddle-eval/1";

  private static final double NANOS_PER_SECOND = 1e9;
  private static final int MOST = 1 << 30;
  private static final OptionalDouble NONE = OptionalDouble.empty();

  static EvalView of(JsonPlace root) {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("model", root.get("model").text());
    about.put("text", root.get("text").text());
    about.put(
        "computed by",
        "%s backend, %s threads"
            .formatted(root.get("backend").text(), root.get("threads").integer(1, MOST)));
    root.find("chunkTokens")
        .ifPresent(chunk ->
            about.put("read in", "chunks of " + Shown.count(chunk.integer(1, MOST)) + " tokens"));
    about.put("seed", root.get("seed").shown());
    root.find("heddle").ifPresent(version -> about.put("heddle", version.text()));
    return new EvalView(
        root.get("model").text(),
        about,
        root.list("heads").stream().map(JsonPlace::text).toList(),
        root.list("results").stream().map(EvalView::row).toList());
  }

  private static EvalRow row(JsonPlace row) {
    Optional<Proportion> answers =
        row.find("asked")
            .map(asked ->
                new Proportion(
                    row.get("right").integer(0, asked.integer(1, MOST)), asked.integer(1, MOST)));
    return new EvalRow(
        row.get("heads").text(),
        EvalTask.of(row.get("task").text()),
        row.get("tokens").integer(1, MOST),
        row.find("depth").map(depth -> OptionalDouble.of(depth.share())).orElse(NONE),
        row.get("prompts").integer(1, MOST),
        answers,
        row.find("bitsPerByte").map(bits -> OptionalDouble.of(bits.number())).orElse(NONE),
        Math.round(row.get("firstTokenSeconds").number() * NANOS_PER_SECOND),
        row.get("density").share());
  }

  /** What heads are called: a file by its own name, unless another has the same. */
  String label(String of) {
    String name = Shown.fileName(of);
    long same = heads.stream().filter(other -> Shown.fileName(other).equals(name)).count();
    return same > 1 ? of : name;
  }

  /** The rows of one task. */
  List<EvalRow> of(EvalTask task) {
    return rows.stream().filter(row -> row.task() == task).toList();
  }

  /** Whether a task is one that the model cannot do even densely. */
  boolean unanswered(EvalTask task) {
    return unanswered(task, rows);
  }

  static boolean unanswered(EvalTask task, List<EvalRow> rows) {
    List<Integer> right =
        rows.stream()
            .filter(row -> row.task() == task && row.heads().equals(EvalCommand.DENSE))
            .flatMap(row -> row.answers().stream())
            .map(Proportion::right)
            .toList();
    return !right.isEmpty() && right.stream().allMatch(count -> count == 0);
  }
}
