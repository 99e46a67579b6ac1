package dev.heddle.search;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A pattern with options that one head may use, and what that does.
 *
 * @param pattern the pattern's name
 * @param options option name to value
 * @param nanos predicted wall time, index building included: mean of the samples
 * @param density cells computed as a share of those of dense attention: mean of the samples
 * @param wholeError mean of the samples' errors over all queries
 * @param meanError mean of the samples' errors; a sample's error is that of all its queries or that
 *     of its last queries, whichever is greater
 * @param worstError greatest error of a sample
 * @param meanRecall attention mass that lies on the keys read, mean over queries and samples
 * @param worstRecall the least of a sample, over all its queries or its last ones
 */
public record Choice(
    String pattern,
    Map<String, Object> options,
    double nanos,
    double density,
    double wholeError,
    double meanError,
    double worstError,
    double meanRecall,
    double worstRecall) {
  Choice withNanos(double expected) {
    return new Choice(
        pattern,
        options,
        expected,
        density,
        wholeError,
        meanError,
        worstError,
        meanRecall,
        worstRecall);
  }

  static double error(Measured measured) {
    return Math.max(measured.error(), measured.tailError());
  }

  /** The members of a JSON object. */
  Map<String, Object> json(double denseNanos) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("pattern", pattern);
    object.put("options", options);
    object.putAll(notes(denseNanos));
    return object;
  }

  /** What a heads file remarks. */
  Map<String, Object> notes(double denseNanos) {
    Map<String, Object> notes = new LinkedHashMap<>();
    notes.put("recall", rounded(meanRecall));
    notes.put("worstRecall", rounded(worstRecall));
    notes.put("error", rounded(meanError));
    notes.put("worstError", rounded(worstError));
    notes.put("density", rounded(density));
    notes.put("costOfDense", rounded(nanos / denseNanos));
    return notes;
  }

  /** Four digits after the point are more than is known. */
  static double rounded(double value) {
    return Math.rint(value * 1e4) / 1e4;
  }
}
