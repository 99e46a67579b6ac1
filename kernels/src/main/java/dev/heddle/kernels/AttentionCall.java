package dev.heddle.kernels;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One layer's attention over one sequence, with the index of each query head.
 *
 * <p>For query {@code i} and the keys {@code j} that its head's index lists, {@code out = Σ
 * softmax(scale · q·k) v} and {@code lse = ln Σ exp(scale · q·k)}.
 *
 * @param shape the sizes of the layer
 * @param queries Q, {@code [queryHeads][queryTokens][headDim]}
 * @param keys K, {@code [keyValueHeads][keyTokens][headDim]}
 * @param values V, {@code [keyValueHeads][keyTokens][headDim]}
 * @param out receives the output, {@code [queryHeads][queryTokens][headDim]}; must not overlap the
 *     inputs
 * @param logSumExp receives float32 {@code [queryHeads][queryTokens]}; {@link MemorySegment#NULL}
 *     when not wanted
 * @param softmaxScale factor on every score before the softmax
 * @param indices the index of each query head
 */
public record AttentionCall(
    AttentionShape shape,
    HeadTensor queries,
    HeadTensor keys,
    HeadTensor values,
    HeadTensor out,
    MemorySegment logSumExp,
    float softmaxScale,
    List<BlockIndex> indices) {
  /**
   * Checks that the tensors and indices have the shape's sizes.
   *
   * @throws InvalidInputException naming the one that has not
   */
  public AttentionCall {
    indices = List.copyOf(indices);
    requireSizes("queries", queries, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    requireSizes("keys", keys, shape.keyValueHeads(), shape.keyTokens(), shape.headDim());
    requireSizes("values", values, shape.keyValueHeads(), shape.keyTokens(), shape.headDim());
    requireSizes("out", out, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    long rows = (long) shape.queryHeads() * shape.queryTokens();
    if (!logSumExp.equals(MemorySegment.NULL)
        && logSumExp.byteSize() < rows * ElementType.FLOAT32.bytes()) {
      throw new InvalidInputException(
          "logSumExp holds %d bytes, but %d float32 values are written"
              .formatted(logSumExp.byteSize(), rows));
    }
    if (indices.size() != shape.queryHeads()) {
      throw new InvalidInputException(
          indices.size() + " indices for " + shape.queryHeads() + " query heads");
    }
    for (BlockIndex index : indices) {
      if (!index.shape().equals(shape)) {
        throw new InvalidInputException(
            "an index was built for " + index.shape() + ", not for " + shape);
      }
    }
  }

  /** Whether the log-sum-exp of each query is asked for. */
  public boolean wantsLogSumExp() {
    return !logSumExp.equals(MemorySegment.NULL);
  }

  private static void requireSizes(
      String name, HeadTensor tensor, int heads, int tokens, int headDim) {
    if (tensor.heads() != heads || tensor.tokens() != tokens || tensor.headDim() != headDim) {
      throw new InvalidInputException(
          "%s are %d heads x %d tokens x %d numbers, but the shape says %d x %d x %d"
              .formatted(
                  name, tensor.heads(), tensor.tokens(), tensor.headDim(), heads, tokens, headDim));
    }
  }
}
