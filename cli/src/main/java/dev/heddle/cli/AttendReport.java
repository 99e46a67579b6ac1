package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.PrefillReport.Head;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What {@code attend} computed, how fast, and where it is. */
record AttendReport(
    AttentionShape shape, PrefillReport prefill, String backend, int threads, List<Path> written)
    implements Result {
  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("queryHeads", shape.queryHeads());
    object.put("keyValueHeads", shape.keyValueHeads());
    object.put("queryTokens", shape.queryTokens());
    object.put("keyTokens", shape.keyTokens());
    object.put("headDim", shape.headDim());
    object.put("backend", backend);
    object.put("threads", threads);
    object.put("density", prefill.density());
    object.put("indexMillis", Shown.toMillis(prefill.indexNanos()));
    object.put("attentionMillis", Shown.toMillis(prefill.attentionNanos()));
    object.put("heads", heads());
    object.put("written", written.stream().map(Path::toString).toList());
    return object;
  }

  @Override
  public void print(Console console) {
    Table table = new Table(2);
    table.row("heads", shape.queryHeads() + " of Q, " + shape.keyValueHeads() + " of K and V");
    table.row(
        "tokens",
        Shown.count(shape.queryTokens()) + " queries, " + Shown.count(shape.keyTokens()) + " keys");
    table.row("head dim", String.valueOf(shape.headDim()));
    table.row("backend", backend + ", " + threads + " threads");
    table.row("density", Shown.percent(prefill.density()));
    notes()
        .forEach((note, heads) ->
            table.row("dense", heads + (heads == 1 ? " head: " : " heads: ") + note));
    table.row("index", Shown.millis(prefill.indexNanos()));
    table.row("attention", Shown.millis(prefill.attentionNanos()));
    written.forEach(file -> table.row("wrote", file.toString()));
    table.print(console.out(), "");
  }

  /** Why heads ran dense that have another pattern, and how many. */
  private Map<String, Long> notes() {
    return prefill.heads().stream()
        .map(Head::note)
        .filter(note -> !note.isEmpty())
        .collect(Collectors.groupingBy(note -> note, TreeMap::new, Collectors.counting()));
  }

  private List<Map<String, Object>> heads() {
    List<Map<String, Object>> heads = new ArrayList<>();
    for (Head head : prefill.heads()) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("head", heads.size());
      object.put("pattern", head.pattern());
      object.put("density", (double) head.cells() / head.causalCells());
      if (!head.note().isEmpty()) {
        object.put("note", head.note());
      }
      heads.add(object);
    }
    return heads;
  }
}
