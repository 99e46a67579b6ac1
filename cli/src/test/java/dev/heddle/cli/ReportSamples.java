package dev.heddle.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What commands print with {@code --json}, in small. */
final class ReportSamples {
  /** A name that must reach no page unescaped. */
  static final String WICKED = "<script>alert(\"1\" & '2')</script>\u0007.json";

  private static final List<String> PATTERNS =
      List.of("a-shape", "vertical-slash", "block-sparse", "dense");

  private ReportSamples() {}

  static String text(Map<String, Object> object) {
    return new JsonMapper().writeValueAsString(object);
  }

  /** An evaluation of dense and {@code heads}: facts, needles at two lengths and depths, a text. */
  static Map<String, Object> eval(String model, String heads) {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (int tokens : new int[] {1024, 4096}) {
      for (String name : List.of("dense", heads)) {
        boolean dense = name.equals("dense");
        rows.add(row(name, "facts", tokens, Map.of("right", dense ? 10 : 9, "asked", 12)));
        for (double depth : new double[] {0, 0.5, 1}) {
          int right = dense || depth != 0.5 ? 2 : 0;
          rows.add(row(name, "needle", tokens, Map.of("depth", depth, "right", right, "asked", 2)));
        }
        rows.add(row(name, "text", tokens, Map.of("bitsPerByte", dense ? 2.5 : 2.525)));
      }
    }
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", "heddle-eval/1");
    object.put("heddle", "0.1.0");
    object.put("model", model);
    object.put("text", "some-text.txt");
    object.put("heads", List.of("dense", heads));
    object.put("backend", "vector");
    object.put("threads", 2);
    object.put("seed", 1);
    object.put("results", rows);
    return object;
  }

  private static Map<String, Object> row(
      String heads, String task, int tokens, Map<String, Object> more) {
    boolean dense = heads.equals("dense");
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("heads", heads);
    row.put("task", task);
    row.put("tokens", tokens);
    row.put("prompts", 1);
    row.putAll(more);
    row.put("firstTokenSeconds", tokens / (dense ? 1024.0 : 4096.0));
    row.put("density", dense ? 1.0 : 0.25);
    return row;
  }

  /** A search of {@code layers} layers of {@code heads} heads. */
  static Map<String, Object> search(String model, int layers, int heads) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (int i = 0; i < layers * heads; i++) {
      String pattern = PATTERNS.get(i * 7 % PATTERNS.size());
      Map<String, Object> chosen = new LinkedHashMap<>();
      chosen.put("pattern", pattern);
      chosen.put("options", pattern.equals("a-shape") ? Map.of("local", 64) : Map.of());
      chosen.put("recall", 1 - i % 5 * 0.04);
      chosen.put("worstRecall", 0.75);
      chosen.put("error", i % 7 * 0.05);
      chosen.put("worstError", 0.4);
      chosen.put("density", i % 11 * 0.03);
      chosen.put("costOfDense", i % 11 * 0.035);
      Map<String, Object> head = new LinkedHashMap<>();
      head.put("layer", i / heads);
      head.put("head", i % heads);
      head.put("denseNanos", 1e6);
      head.put("spreadWeight", 0.5);
      head.put("answerWeight", 1.25);
      head.put("chosen", chosen);
      head.put("choices", List.of());
      all.add(head);
    }
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", "heddle-search/1");
    object.put("out", "found.json");
    object.put("found", "by heddle search 0.1.0");
    object.put("date", "2026-01-31");
    object.put("model", model);
    object.put("samples", "2 of 4096 tokens");
    object.put("goal", "attention 6.0 times as fast as dense");
    object.put("backend", "vector, 2 threads");
    object.put("speedup", 6.125);
    object.put("error", 0.1875);
    object.put("loss", 0.03125);
    object.put(
        "costs",
        Map.of(
            "rowNanos",
            1200,
            "blockNanos",
            10000,
            "columnNanos",
            90,
            "indexNanosPerToken",
            Map.of("a-shape", 0.1)));
    object.put("heads", all);
    return object;
  }

  /** What {@code bench attention} prints: dense and one pattern twice, at two lengths. */
  static Map<String, Object> benchAttention() {
    List<Map<String, Object>> shapes = new ArrayList<>();
    for (int tokens : new int[] {1000, 10_000}) {
      List<Map<String, Object>> cases =
          List.of(
              benchCase("dense", Map.of(), tokens * (tokens / 1000.0) / 100),
              benchCase("a-shape", Map.of("sink", 64, "local", 1024), tokens / 100.0),
              benchCase("a-shape", Map.of("sink", 64, "local", 256), tokens / 400.0));
      Map<String, Object> shape = new LinkedHashMap<>();
      shape.put("queryHeads", 8);
      shape.put("keyValueHeads", 2);
      shape.put("tokens", tokens);
      shape.put("headDim", 64);
      shape.put("cases", cases);
      shapes.add(shape);
    }
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("backend", "vector");
    object.put("device", "some processor, 2 threads");
    object.put("elementType", "float32");
    object.put("shapes", shapes);
    return object;
  }

  private static Map<String, Object> benchCase(
      String pattern, Map<String, Object> options, double millis) {
    return Map.of("pattern", pattern, "options", options, "totalMillis", millis);
  }

  /** What {@code bench prefill} prints. */
  static Map<String, Object> benchPrefill() {
    List<Map<String, Object>> runs = new ArrayList<>();
    for (int tokens : new int[] {8192, 131_072}) {
      runs.add(Map.of("tokens", tokens, "heads", "dense", "totalSeconds", tokens / 4096.0));
      runs.add(Map.of("tokens", tokens, "heads", "found.json", "totalSeconds", tokens / 8192.0));
    }
    return new LinkedHashMap<>(Map.of("model", "llama-3-8b", "repeat", 2, "runs", runs));
  }
}
