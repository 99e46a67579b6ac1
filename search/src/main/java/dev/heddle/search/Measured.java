package dev.heddle.search;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one candidate did on one head of one sample.
 *
 * @param pattern the pattern's name
 * @param options its options
 * @param nanos predicted wall time, index building included
 * @param density cells computed as a share of those of dense attention
 * @param error size of the difference to the dense output as a share of the dense output's size,
 *     over all queries: {@code ‖o - dense‖ / ‖dense‖}
 * @param tailError the same over the last queries alone
 * @param recall attention mass of the dense softmax that lies on the keys read: mean over all
 *     queries
 * @param tailRecall the same over the last queries alone
 */
record Measured(
    String pattern,
    Map<String, Object> options,
    double nanos,
    double density,
    double error,
    double tailError,
    double recall,
    double tailRecall) {
  Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("pattern", pattern);
    object.put("options", options);
    object.put("nanos", nanos);
    object.put("density", density);
    object.put("error", error);
    object.put("tailError", tailError);
    object.put("recall", recall);
    object.put("tailRecall", tailRecall);
    return object;
  }
}
