package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionCall;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The inputs of one layer's attention.
 *
 * @param shape the sizes
 * @param queries Q, {@code [queryHeads][queryTokens][headDim]}
 * @param keys K, {@code [keyValueHeads][keyTokens][headDim]}
 * @param values V, {@code [keyValueHeads][keyTokens][headDim]}
 */
public record TestLayer(
    AttentionShape shape, HeadTensor queries, HeadTensor keys, HeadTensor values) {
  /** The usual factor on scores, 1/√headDim. */
  public float softmaxScale() {
    return (float) (1 / Math.sqrt(shape.headDim()));
  }

  /** What a pattern is shown of query head {@code head}; the memory refuses writes. */
  public HeadInputs head(int head, BlockShape blocks) {
    int keyValueHead = shape.keyValueHead(head);
    return new HeadInputs(
        shape,
        blocks,
        0,
        head,
        readOnly(queries.head(head)),
        readOnly(keys.head(keyValueHead)),
        readOnly(values.head(keyValueHead)),
        softmaxScale());
  }

  /** A call that attends through {@code indices} into {@code out}, without log-sum-exp. */
  public AttentionCall call(List<BlockIndex> indices, HeadTensor out) {
    return new AttentionCall(
        shape, queries, keys, values, out, MemorySegment.NULL, softmaxScale(), indices);
  }

  private static HeadMatrix readOnly(HeadMatrix matrix) {
    return new HeadMatrix(
        matrix.memory().asReadOnly(),
        matrix.type(),
        matrix.offset(),
        matrix.tokens(),
        matrix.headDim(),
        matrix.tokenStride());
  }
}
