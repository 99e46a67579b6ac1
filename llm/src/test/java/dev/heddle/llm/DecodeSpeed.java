package dev.heddle.llm;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Tokens a second on a GPU with launches replayed and without, for each kind of cache: {@code
 * DecodeSpeed MODEL TOKENS...}, where MODEL is a known shape or a folder.
 */
final class DecodeSpeed {
  private static final int NEW_TOKENS = 40;

  /** Each brings the whole cache over the bus. */
  private static final int NEW_TOKENS_FROM_HOST = 5;

  private DecodeSpeed() {}

  public static void main(String[] arguments) {
    LlamaModel.Settings settings = LlamaModel.Settings.standard().withBackend("cuda");
    boolean isFolder = arguments[0].contains("/");
    try (LlamaModel model =
            isFolder
                ? LlamaModel.open(Path.of(arguments[0]), settings)
                : LlamaModel.random(KnownModel.named(arguments[0]).config(), settings);
        SparseAttention attention =
            SparseAttention.builder()
                .heads(
                    HeadsConfig.uniform(
                        model.attentionShape(), "a-shape", Map.of("sink", 128, "local", 1024)))
                .backend("cuda")
                .build()) {
      for (int i = 1; i < arguments.length; i++) {
        for (CacheKind kind : CacheKind.values()) {
          measure(model, attention, kind, Integer.parseInt(arguments[i]));
        }
      }
    }
  }

  private static void measure(
      LlamaModel model, SparseAttention attention, CacheKind kind, int tokens) {
    int newTokens = kind.isOnHost() ? NEW_TOKENS_FROM_HOST : NEW_TOKENS;
    int[] prompt =
        new SplittableRandom(1).ints(tokens, 0, model.config().vocabularySize()).toArray();
    long begin = System.nanoTime();
    try (KeyValueCache cache = model.newCache(kind, tokens + 2 * NEW_TOKENS + 4)) {
      long taken = System.nanoTime();
      model.prefill(attention, cache, prompt, PrefillProgress.SILENT);
      final long read = System.nanoTime();
      double[] rates = new double[2];
      for (int replaying = 0; replaying < 2; replaying++) {
        model.replayLaunches(replaying == 1);
        model.decode(attention, cache, 1);
        model.decode(attention, cache, 2);
        long start = System.nanoTime();
        for (int token = 0; token < newTokens; token++) {
          model.decode(attention, cache, token);
        }
        rates[replaying] = 1e9 * newTokens / (System.nanoTime() - start);
      }
      System.out.printf(
          "%,9d tokens, %-10s: cache taken in %.2f s, read in %.2f s; %.1f tokens/s launched, %.1f replayed%n",
          tokens,
          kind.optionName(),
          (taken - begin) / 1e9,
          (read - taken) / 1e9,
          rates[0],
          rates[1]);
    }
  }
}
