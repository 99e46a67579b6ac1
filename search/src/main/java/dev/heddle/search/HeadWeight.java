package dev.heddle.search;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one head alone does to the model's predictions when it is sparse.
 *
 * @param wholeError the head's own error with the choice that was tried: {@link Choice#wholeError}
 * @param error the same over all queries or the last ones: {@link Choice#meanError}
 * @param spreadLoss loss over the prompt, with all other heads dense
 * @param answerLoss loss over the answers
 */
record HeadWeight(
    int layer, int head, double wholeError, double error, double spreadLoss, double answerLoss) {
  /** Loss that is no more than noise. */
  private static final double LEAST_LOSS = 1e-6;

  private static final double LEAST_ERROR = 1e-3;

  /** Loss over the prompt per squared error over all queries: small errors add up as squares. */
  double spreadWeight() {
    return perSquare(spreadLoss, wholeError);
  }

  /** Loss over the answers per squared error over all queries or the last ones. */
  double answerWeight() {
    return perSquare(answerLoss, error);
  }

  private static double perSquare(double loss, double error) {
    double size = Math.max(LEAST_ERROR, error);
    return Math.max(LEAST_LOSS, loss) / (size * size);
  }

  Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("layer", layer);
    object.put("head", head);
    object.put("wholeError", wholeError);
    object.put("error", error);
    object.put("spreadLoss", spreadLoss);
    object.put("answerLoss", answerLoss);
    return object;
  }
}
