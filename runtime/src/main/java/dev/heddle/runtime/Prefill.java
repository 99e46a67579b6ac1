package dev.heddle.runtime;

import dev.heddle.api.HeadTensor;
import java.lang.foreign.MemorySegment;

/**
 * The tensors of one layer's attention. Memory stays the caller's.
 *
 * @param queries Q, {@code [queryHeads][queryTokens][headDim]}: the last tokens of the sequence
 * @param keys K, {@code [keyValueHeads][keyTokens][headDim]}: the whole sequence so far
 * @param values V, {@code [keyValueHeads][keyTokens][headDim]}
 * @param out receives the output, {@code [queryHeads][queryTokens][headDim]}
 * @param logSumExp receives float32 {@code [queryHeads][queryTokens]}; {@link MemorySegment#NULL}
 *     when not wanted
 * @param softmaxScale factor on every score before the softmax
 */
public record Prefill(
    HeadTensor queries,
    HeadTensor keys,
    HeadTensor values,
    HeadTensor out,
    MemorySegment logSumExp,
    float softmaxScale) {
  /** Attention with the usual scale 1/√headDim and no log-sum-exp. */
  public static Prefill of(HeadTensor queries, HeadTensor keys, HeadTensor values, HeadTensor out) {
    return new Prefill(
        queries, keys, values, out, MemorySegment.NULL, (float) (1 / Math.sqrt(queries.headDim())));
  }

  /**
   * The same, also writing the natural logarithm of each query's sum of exponentials to {@code
   * memory}.
   */
  public Prefill withLogSumExp(MemorySegment memory) {
    return new Prefill(queries, keys, values, out, memory, softmaxScale);
  }

  /** The same with another factor on the scores. */
  public Prefill withSoftmaxScale(float scale) {
    return new Prefill(queries, keys, values, out, logSumExp, scale);
  }
}
