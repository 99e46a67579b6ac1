package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuMatrix;

/**
 * The device memory of one pass of some tokens through the decoder. What attention needs is there
 * for all tokens; the rest for one chunk of them.
 *
 * @param tokens int32 {@code [tokens]}
 * @param position of a single token in its text: an int32, behind {@code tokens}
 * @param hidden the residual stream: float32 {@code [tokens][hidden]}
 * @param angles cosine and sine of each pair's angle: float32 {@code [tokens][headDim]}
 * @param queries Q: {@code [tokens][query width]}
 * @param attended what attention returns, as {@code queries}
 * @param normalised the input of projections, for a chunk: {@code [tokens][hidden]}
 * @param projected Q, K and V, for a chunk: {@code [tokens][query width + 2 · key/value width]}
 * @param gateUp inside the feed-forward part, for a chunk: {@code [tokens][2 · intermediate]}; the
 *     same memory as {@code projected}
 * @param scratch of the attention of a single query
 * @param logits float32 {@code [positions][vocabulary]}
 * @param last the last norm of the positions whose logits are asked for: {@code
 *     [positions][hidden]}
 */
record DeviceActivations(
    GpuMatrix tokens,
    long position,
    GpuMatrix hidden,
    GpuMatrix angles,
    GpuMatrix queries,
    GpuMatrix attended,
    GpuMatrix normalised,
    GpuMatrix projected,
    GpuMatrix gateUp,
    long scratch,
    GpuMatrix logits,
    GpuMatrix last) {
  /** Tokens that projections and the feed-forward part take at once. */
  static final int CHUNK_TOKENS = 16_384;

  /** Positions whose logits are computed at once: a large vocabulary has 150,000 numbers each. */
  static final int LOGIT_ROWS = 64;

  private static final int ALIGNMENT = 256;

  /** Bytes of a pass of {@code tokens} tokens. */
  static long bytes(ModelConfig config, ElementType type, int tokens) {
    Layout layout = new Layout(ALIGNMENT);
    lay(layout, config, type, tokens);
    return layout.next - ALIGNMENT;
  }

  /** Lays it out from {@code address} on, a multiple of 256. */
  static DeviceActivations at(long address, ModelConfig config, ElementType type, int tokens) {
    return lay(new Layout(address), config, type, tokens);
  }

  private static DeviceActivations lay(
      Layout layout, ModelConfig config, ElementType type, int tokens) {
    int chunk = Math.min(tokens, CHUNK_TOKENS);
    int positions = Math.min(tokens, LOGIT_ROWS);
    int projectedWidth = config.queryWidth() + 2 * config.keyValueWidth();
    int gateUpWidth = 2 * config.intermediateSize();
    ElementType f32 = ElementType.FLOAT32;
    GpuMatrix ids = layout.matrix(f32, tokens + 1, 1);
    GpuMatrix wide = layout.matrix(type, chunk, Math.max(projectedWidth, gateUpWidth));
    return new DeviceActivations(
        ids.slice(0, tokens),
        ids.slice(tokens, 1).address(),
        layout.matrix(f32, tokens, config.hiddenSize()),
        layout.matrix(f32, tokens, config.attention().headDim()),
        layout.matrix(type, tokens, config.queryWidth()),
        layout.matrix(type, tokens, config.queryWidth()),
        layout.matrix(type, chunk, config.hiddenSize()),
        GpuMatrix.contiguous(wide.address(), type, chunk, projectedWidth),
        GpuMatrix.contiguous(wide.address(), type, chunk, gateUpWidth),
        layout.take(DecodeKernels.scratchBytes(config.attention())),
        layout.matrix(f32, positions, config.vocabularySize()),
        layout.matrix(type, positions, config.hiddenSize()));
  }

  /** Puts one thing behind the other. */
  private static final class Layout {
    private long next;

    Layout(long first) {
      this.next = first;
    }

    GpuMatrix matrix(ElementType type, int rows, int columns) {
      long bytes = (long) rows * columns * type.bytes();
      return GpuMatrix.contiguous(take(bytes), type, rows, columns);
    }

    long take(long bytes) {
      long taken = next;
      next += Math.ceilDiv(bytes, ALIGNMENT) * (long) ALIGNMENT;
      return taken;
    }
  }
}
