package dev.heddle.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * A search as it is shown, read from what {@code heddle search --json} prints.
 *
 * @param model the model's name
 * @param about what else is said of the whole, by its name
 * @param outcome what was reached
 * @param heads what was chosen, by layer and head
 */
record SearchView(String model, Map<String, String> about, Outcome outcome, List<Head> heads)
    implements ReportView {
  static final String FORMAT = "heddle-search/1";

  /** No model has so many layers or heads. */
  private static final int MOST = 4096;

  /**
   * What was reached.
   *
   * @param speedup how many times as fast as dense attention is, indices included
   * @param error root mean square of the heads' errors
   * @param loss of the model's predictions, in nats; empty if that was not measured
   */
  record Outcome(double speedup, double error, OptionalDouble loss) {}

  /**
   * What one head is to use; shares are 0 to 1.
   *
   * @param options the pattern's options in words
   * @param measured recall, worstRecall, error, worstError, density and costOfDense, by name
   * @param weight loss of the model's answers per squared error of the head
   */
  record Head(
      int layer,
      int head,
      String pattern,
      String options,
      Map<String, Double> measured,
      double weight) {
    double recall() {
      return measured.getOrDefault("recall", 1.0);
    }

    double worstRecall() {
      return measured.getOrDefault("worstRecall", 1.0);
    }

    double error() {
      return measured.getOrDefault("error", 0.0);
    }

    double worstError() {
      return measured.getOrDefault("worstError", 0.0);
    }

    double density() {
      return measured.getOrDefault("density", 1.0);
    }

    double cost() {
      return measured.getOrDefault("costOfDense", 1.0);
    }
  }

  static SearchView of(JsonPlace root) {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("model", root.get("model").text());
    about.put("samples", root.get("samples").text());
    about.put("goal", root.get("goal").text());
    about.put("computed by", root.get("backend").text());
    about.put("found", root.get("found").text() + " on " + root.get("date").text());
    about.put("heads file", root.get("out").text());
    about.put("costs", costs(root.get("costs")));
    Outcome outcome =
        new Outcome(
            root.get("speedup").number(),
            root.get("error").number(),
            root.find("loss")
                .map(loss -> OptionalDouble.of(loss.number()))
                .orElse(OptionalDouble.empty()));
    List<Head> heads = root.list("heads").stream().map(SearchView::head).toList();
    if (heads.isEmpty()) {
      throw root.get("heads").wrong("at least one head");
    }
    return new SearchView(root.get("model").text(), about, outcome, heads);
  }

  private static String costs(JsonPlace costs) {
    JsonPlace patterns = costs.get("indexNanosPerToken");
    return "row %s ns, key block %s ns, column %s ns; index per token: %s"
        .formatted(
            plain(costs, "rowNanos"),
            plain(costs, "blockNanos"),
            plain(costs, "columnNanos"),
            patterns.keys().stream()
                .map(name -> name + " " + plain(patterns, name) + " ns")
                .collect(Collectors.joining(", ")));
  }

  private static String plain(JsonPlace costs, String name) {
    return Shown.plain(costs.get(name).number());
  }

  private static Head head(JsonPlace head) {
    JsonPlace chosen = head.get("chosen");
    JsonPlace options = chosen.get("options");
    Map<String, Double> measured = new LinkedHashMap<>();
    for (String key : List.of("recall", "worstRecall", "density")) {
      measured.put(key, Math.min(1, chosen.get(key).number())); // sums of float32 may be above
    }
    for (String key : List.of("error", "worstError", "costOfDense")) {
      measured.put(key, chosen.get(key).number());
    }
    return new Head(
        head.get("layer").integer(0, MOST),
        head.get("head").integer(0, MOST),
        chosen.get("pattern").text(),
        options.keys().stream()
            .map(name -> name + " " + options.get(name).shown())
            .collect(Collectors.joining(", ")),
        measured,
        head.get("answerWeight").number());
  }

  /** The names of the patterns in use, each once, in alphabetical order. */
  List<String> patterns() {
    return heads.stream().map(Head::pattern).distinct().sorted().toList();
  }

  int layers() {
    return 1 + heads.stream().mapToInt(Head::layer).max().orElse(0);
  }

  int headsPerLayer() {
    return 1 + heads.stream().mapToInt(Head::head).max().orElse(0);
  }
}
