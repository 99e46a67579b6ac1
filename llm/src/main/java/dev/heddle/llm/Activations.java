package dev.heddle.llm;

import java.lang.foreign.Arena;

/**
 * The memory of one pass of some tokens through the decoder. What attention needs is there for all
 * tokens; the rest for one chunk of them, so that the pass over a long prompt stays small.
 *
 * @param hidden the running sum that each layer adds to, for all tokens
 * @param queries Q, {@code [token][queryHead][dim]}, for all tokens
 * @param attended what attention returns, as {@code queries}
 * @param cosines of the angle of each pair, for all tokens
 * @param sines of the angle of each pair, for all tokens
 * @param normalised the input of projections, for a chunk
 * @param keys K, {@code [token][keyValueHead][dim]}, for a chunk
 * @param values V, as {@code keys}
 * @param gate inside the feed-forward part, for a chunk
 * @param up inside the feed-forward part, for a chunk
 * @param projected what is added to {@code hidden}, for a chunk
 */
record Activations(
    FloatRows hidden,
    FloatRows queries,
    FloatRows attended,
    FloatRows cosines,
    FloatRows sines,
    FloatRows normalised,
    FloatRows keys,
    FloatRows values,
    FloatRows gate,
    FloatRows up,
    FloatRows projected) {
  /** Tokens that the matrix products take at once. */
  static final int CHUNK_TOKENS = 1024;

  static Activations allocate(Arena arena, ModelConfig config, int tokens) {
    int chunk = Math.min(tokens, CHUNK_TOKENS);
    int pairs = config.attention().headDim() / 2;
    return new Activations(
        FloatRows.allocate(arena, tokens, config.hiddenSize()),
        FloatRows.allocate(arena, tokens, config.queryWidth()),
        FloatRows.allocate(arena, tokens, config.queryWidth()),
        FloatRows.allocate(arena, tokens, pairs),
        FloatRows.allocate(arena, tokens, pairs),
        FloatRows.allocate(arena, chunk, config.hiddenSize()),
        FloatRows.allocate(arena, chunk, config.keyValueWidth()),
        FloatRows.allocate(arena, chunk, config.keyValueWidth()),
        FloatRows.allocate(arena, chunk, config.intermediateSize()),
        FloatRows.allocate(arena, chunk, config.intermediateSize()),
        FloatRows.allocate(arena, chunk, config.hiddenSize()));
  }

  /** Bytes that {@link #allocate} takes. */
  static long bytes(ModelConfig config, int tokens) {
    int chunk = Math.min(tokens, CHUNK_TOKENS);
    long perToken = config.hiddenSize() + 2L * config.queryWidth() + config.attention().headDim();
    long perChunkToken =
        2L * (config.hiddenSize() + config.keyValueWidth() + config.intermediateSize());
    return Float.BYTES * (tokens * perToken + chunk * perChunkToken);
  }
}
