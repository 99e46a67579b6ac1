package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.Generation.End;
import dev.heddle.runtime.SparseAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Answers prompts: reads them in one pass, then adds a token at a time. Safe for use by several
 * threads, each with its own cache.
 */
public final class Generator {
  private final LlamaModel model;
  private final SparseAttention attention;
  private final Set<Integer> endTokens;

  /**
   * Makes a generator; both parts stay the caller's to close.
   *
   * @param attention computes the attention; dense and sparse façades can share one model
   */
  public Generator(LlamaModel model, SparseAttention attention) {
    this.model = model;
    this.attention = attention;
    this.endTokens = model.config().endTokens();
  }

  /**
   * Answers {@code prompt}.
   *
   * @param prompt token ids, at least 1
   * @throws InvalidInputException if the prompt is empty, has unknown tokens, or is longer than the
   *     model's positions or memory; before any work
   */
  public Generation generate(int[] prompt, GenerationOptions options, GenerationListener listener) {
    int room = Math.max(0, model.maxTokens() - prompt.length);
    int newTokens = Math.min(options.maxNewTokens(), room);
    model.requireReadable(attention, prompt.length, newTokens);
    try (KeyValueCache cache = model.newCache(attention, prompt.length, newTokens)) {
      listener.onCache(cache.kind());
      return generate(cache, prompt, options, listener);
    }
  }

  /**
   * Answers {@code prompt}, which follows the text in {@code cache}. Afterwards the cache holds the
   * prompt and the answer without its last token, which the model has not read.
   *
   * @throws InvalidInputException as {@link #generate(int[], GenerationOptions,
   *     GenerationListener)}, or if the cache has no room for the prompt
   */
  public Generation generate(
      KeyValueCache cache, int[] prompt, GenerationOptions options, GenerationListener listener) {
    long start = System.nanoTime();
    TokenSampler sampler = new TokenSampler(options.sampling());
    Prefilled prefilled = model.prefill(attention, cache, prompt, listener);
    int next = sampler.choose(prefilled.logits(), 0);
    final long firstTokenNanos = System.nanoTime() - start;
    List<Integer> tokens = new ArrayList<>();
    while (!endTokens.contains(next)) {
      tokens.add(next);
      listener.onToken(next);
      if (tokens.size() == options.maxNewTokens() || room(cache) == 0) {
        break;
      }
      next = sampler.choose(model.decode(attention, cache, next), 0);
    }
    return new Generation(
        tokens,
        end(endTokens.contains(next), tokens.size() == options.maxNewTokens()),
        firstTokenNanos,
        System.nanoTime() - start,
        prefilled.reports());
  }

  /**
   * Reads {@code prompt} and chooses the first token of an answer, without room for more of it: see
   * {@link LlamaModel#prefillOnly}.
   *
   * @throws InvalidInputException as {@link #generate(int[], GenerationOptions,
   *     GenerationListener)}
   */
  public Generation firstToken(int[] prompt, Sampling sampling, GenerationListener listener) {
    long start = System.nanoTime();
    Prefilled prefilled = model.prefillOnly(attention, prompt, listener);
    int token = new TokenSampler(sampling).choose(prefilled.logits(), 0);
    long nanos = System.nanoTime() - start;
    boolean ended = endTokens.contains(token);
    if (!ended) {
      listener.onToken(token);
    }
    return new Generation(
        ended ? List.of() : List.of(token), end(ended, true), nanos, nanos, prefilled.reports());
  }

  private int room(KeyValueCache cache) {
    return Math.min(cache.capacity(), model.maxTokens()) - cache.tokens();
  }

  private static End end(boolean endToken, boolean allTokens) {
    if (endToken) {
      return End.END_TOKEN;
    }
    return allTokens ? End.MAX_NEW_TOKENS : End.NO_ROOM;
  }
}
