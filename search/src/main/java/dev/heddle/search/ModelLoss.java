package dev.heddle.search;

import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.Logits;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.SearchSample.Continuation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How far the predictions of a model with other heads are from those with dense heads, on one
 * sample: the Kullback-Leibler divergence in nats, mean over places spread over the prompt, plus
 * mean over the places of answers. Where nothing follows the prompt, its last places are the
 * answer.
 */
final class ModelLoss {
  private static final int SPREAD = 512;
  private static final int LAST = 16;

  /** Bytes that the logits of the places in a prompt may take; a vocabulary may be large. */
  private static final long MOST_LOGIT_BYTES = 256L << 20;

  private final LlamaModel model;
  private final SearchSample sample;
  private final int[] positions;
  private final int spread;
  private final List<float[]> dense;

  /** Reads the sample densely. */
  ModelLoss(LlamaModel model, SearchSample sample, SparseAttention dense) {
    this.model = model;
    this.sample = sample;
    int tokens = sample.promptTokens();
    long most = MOST_LOGIT_BYTES / Float.BYTES / model.config().vocabularySize();
    int last = sample.continuations().isEmpty() ? Math.min(LAST, tokens) : 1;
    this.spread = Math.clamp(Math.min(SPREAD, most), 1, tokens);
    this.positions =
        IntStream.concat(
                IntStream.range(0, spread).map(i -> (int) ((long) i * tokens / spread)),
                IntStream.range(tokens - last, tokens))
            .toArray();
    this.dense = predictions(dense);
  }

  /** Mean divergence over places spread over the prompt, and over the places of answers. */
  record Loss(double spread, double answers) {
    double sum() {
      return spread + answers;
    }
  }

  /** The loss with the heads of {@code attention}. */
  Loss of(SparseAttention attention) {
    List<float[]> predicted = predictions(attention);
    double spreadSum = 0;
    double answerSum = 0;
    for (int i = 0; i < predicted.size(); i++) {
      double divergence = divergence(dense.get(i), predicted.get(i));
      if (i < spread) {
        spreadSum += divergence;
      } else {
        answerSum += divergence;
      }
    }
    return new Loss(spreadSum / spread, answerSum / (predicted.size() - spread));
  }

  /** Logarithms of the probabilities at each place. */
  private List<float[]> predictions(SparseAttention attention) {
    List<float[]> all = new ArrayList<>();
    try (KeyValueCache cache = model.newCache(sample.tokens())) {
      add(attention, cache, sample.prompt(), positions, all);
      for (Continuation continuation : sample.continuations()) {
        add(attention, cache, continuation.tokens(), continuation.answerPositions(), all);
      }
    }
    return all;
  }

  private void add(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] places,
      List<float[]> all) {
    Logits logits =
        model.prefillAt(attention, cache, tokens, places, PrefillProgress.SILENT).logits();
    for (int i = 0; i < places.length; i++) {
      all.add(normalised(logits.at(i)));
    }
  }

  private static float[] normalised(float[] logits) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      greatest = Math.max(greatest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    double shift = greatest + Math.log(sum);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (logits[i] - shift);
    }
    return logits;
  }

  private static double divergence(float[] wanted, float[] got) {
    double sum = 0;
    for (int i = 0; i < wanted.length; i++) {
      sum += Math.exp(wanted[i]) * ((double) wanted[i] - got[i]);
    }
    return Math.max(0, sum);
  }
}
