package dev.heddle.search;

import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.Logits;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.Prefilled;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.SparseAttention;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;

/** How well a model predicts a text that it reads in one pass. */
final class TextScore {
  /** Bytes that the logits of all scored positions may take; a vocabulary may be large. */
  private static final long MOST_LOGIT_BYTES = 256L << 20;

  private final LlamaModel model;
  private final TextTokenizer tokenizer;

  TextScore(LlamaModel model, TextTokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  /**
   * What was found.
   *
   * @param bitsPerByte mean bits per token over the scored ones, by the text's bytes per token
   * @param scoredTokens tokens whose probability counts, evenly spread over the text
   */
  record Score(double bitsPerByte, int scoredTokens, Prefilled prefilled, long nanos) {}

  /** Reads {@code tokens}, whose first is not scored. */
  Score score(SparseAttention attention, int[] tokens) {
    int[] positions = positions(tokens.length);
    try (KeyValueCache cache = model.newCache(tokens.length)) {
      long start = System.nanoTime();
      Prefilled prefilled =
          model.prefillAt(attention, cache, tokens, positions, PrefillProgress.SILENT);
      long nanos = System.nanoTime() - start;
      double bits = 0;
      for (int i = 0; i < positions.length; i++) {
        bits += bits(prefilled.logits(), i, tokens[positions[i] + 1]);
      }
      double bytesPerToken = (double) bytes(tokens) / (tokens.length - 1);
      return new Score(bits / positions.length / bytesPerToken, positions.length, prefilled, nanos);
    }
  }

  private int[] positions(int tokens) {
    int predicted = tokens - 1;
    long bytes = (long) model.config().vocabularySize() * Float.BYTES;
    int scored = Math.clamp(MOST_LOGIT_BYTES / bytes, 1, predicted);
    return IntStream.range(0, scored).map(i -> (int) ((long) i * predicted / scored)).toArray();
  }

  /** Bytes of the text but for its first token. */
  private int bytes(int[] tokens) {
    int[] predicted = IntStream.range(1, tokens.length).map(i -> tokens[i]).toArray();
    return Math.max(1, tokenizer.decode(predicted).getBytes(StandardCharsets.UTF_8).length);
  }

  private static double bits(Logits logits, int position, int token) {
    float[] scores = logits.at(position);
    double greatest = Double.NEGATIVE_INFINITY;
    for (float score : scores) {
      greatest = Math.max(greatest, score);
    }
    double sum = 0;
    for (float score : scores) {
      sum += Math.exp(score - greatest);
    }
    return (Math.log(sum) + greatest - scores[token]) / Math.log(2);
  }
}
