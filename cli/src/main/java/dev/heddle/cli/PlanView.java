package dev.heddle.cli;

import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.ModelShape;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.IntStream;

/** A plan in words: each different assignment once, then who uses it in each layer. */
record PlanView(AttentionPlan plan) {
  /** Prints the assignments, numbered, and the heads of each layer; equal layers share a line. */
  void print(PrintWriter out) {
    Table assignments = new Table(3);
    for (int i = 0; i < plan.assignments().size(); i++) {
      Assignment assignment = plan.assignments().get(i);
      assignments.row(
          "[" + i + "]",
          assignment.pattern().name(),
          assignment.options().toString(),
          headCount(i) + " heads");
    }
    assignments.print(out, "  ");
    int layers = plan.shape().layers();
    for (int first = 0; first < layers; ) {
      int end = first + 1;
      while (end < layers && layer(end).equals(layer(first))) {
        end++;
      }
      String name = end - first == 1 ? "layer " + first : "layers " + first + "-" + (end - 1);
      out.println("  " + name + ": " + heads(layer(first)));
      first = end;
    }
  }

  /** The same as JSON: {@code layers[l][h]} is the number of head h's assignment in layer l. */
  Map<String, Object> json() {
    ModelShape model = plan.shape();
    Map<String, Object> shape = new LinkedHashMap<>();
    shape.put("layers", model.layers());
    shape.put("queryHeads", model.queryHeads());
    shape.put("keyValueHeads", model.keyValueHeads());
    shape.put("headDim", model.headDim());
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("shape", shape);
    object.put("assignments", plan.assignments().stream().map(PlanView::json).toList());
    object.put("layers", IntStream.range(0, model.layers()).mapToObj(this::layer).toList());
    return object;
  }

  private static Map<String, Object> json(Assignment assignment) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("pattern", assignment.pattern().name());
    object.put("options", assignment.options().toMap());
    return object;
  }

  private long headCount(int assignment) {
    return IntStream.range(0, plan.shape().layers())
        .mapToLong(layer -> layer(layer).stream().filter(used -> used == assignment).count())
        .sum();
  }

  /** For each head of a layer, the number of its assignment. */
  private List<Integer> layer(int layer) {
    return IntStream.range(0, plan.shape().queryHeads())
        .mapToObj(head -> plan.assignments().indexOf(plan.assignment(layer, head)))
        .toList();
  }

  /** {@code "heads 0-3,7 [0]; heads 4-6 [1]"}. */
  private static String heads(List<Integer> layer) {
    Map<Integer, List<Integer>> byAssignment = new LinkedHashMap<>();
    for (int head = 0; head < layer.size(); head++) {
      byAssignment.computeIfAbsent(layer.get(head), _ -> new ArrayList<>()).add(head);
    }
    StringJoiner parts = new StringJoiner("; ");
    byAssignment.forEach(
        (assignment, heads) -> parts.add("heads " + ranges(heads) + " [" + assignment + "]"));
    return parts.toString();
  }

  private static String ranges(List<Integer> sorted) {
    StringJoiner parts = new StringJoiner(",");
    for (int first = 0; first < sorted.size(); ) {
      int last = first;
      while (last + 1 < sorted.size() && sorted.get(last + 1) == sorted.get(last) + 1) {
        last++;
      }
      parts.add(
          first == last ? "" + sorted.get(first) : sorted.get(first) + "-" + sorted.get(last));
      first = last + 1;
    }
    return parts.toString();
  }
}
