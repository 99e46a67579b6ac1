package dev.heddle.llm;

import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Chooses tokens. Not safe for use by several threads. */
final class TokenSampler {
  private final Sampling sampling;
  private final SplittableRandom random;

  TokenSampler(Sampling sampling) {
    this.sampling = sampling;
    this.random = new SplittableRandom(sampling.seed());
  }

  /** The next token after position number {@code position} of {@code logits}. */
  int choose(Logits logits, int position) {
    return sampling.temperature() == 0 ? logits.greatest(position) : draw(logits.at(position));
  }

  private int draw(float[] logits) {
    double[] weights = softmax(logits);
    int[] likeliestFirst =
        IntStream.range(0, weights.length)
            .boxed()
            .sorted(Comparator.comparingDouble(token -> -weights[token]))
            .mapToInt(Integer::intValue)
            .toArray();
    double kept = 0;
    int count = 0;
    while (count < likeliestFirst.length && kept < sampling.topP()) {
      kept += weights[likeliestFirst[count++]];
    }
    double left = random.nextDouble() * kept;
    for (int i = 0; i < count; i++) {
      left -= weights[likeliestFirst[i]];
      if (left < 0) {
        return likeliestFirst[i];
      }
    }
    return likeliestFirst[count - 1]; // rounding left a sliver of the last
  }

  private double[] softmax(float[] logits) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      greatest = Math.max(greatest, logit);
    }
    double[] weights = new double[logits.length];
    double sum = 0;
    for (int token = 0; token < logits.length; token++) {
      weights[token] = Math.exp((logits[token] - greatest) / sampling.temperature());
      sum += weights[token];
    }
    for (int token = 0; token < logits.length; token++) {
      weights[token] /= sum;
    }
    return weights;
  }
}
