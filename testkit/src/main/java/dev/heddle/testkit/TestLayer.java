package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionCall;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
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

  /** The same numbers in float32. */
  TestLayer widened() {
    return new TestLayer(shape, widened(queries), widened(keys), widened(values));
  }

  private static HeadTensor widened(HeadTensor narrow) {
    HeadTensor wide =
        Layout.CONTIGUOUS.allocate(
            ElementType.FLOAT32, narrow.heads(), narrow.tokens(), narrow.headDim());
    float[] row = new float[narrow.headDim()];
    for (int head = 0; head < narrow.heads(); head++) {
      HeadMatrix rows = narrow.head(head);
      for (int token = 0; token < narrow.tokens(); token++) {
        rows.copyRows(token, 1, row, 0);
        TestTensors.storeRow(wide, head, token, row);
      }
    }
    return wide;
  }

  /**
   * This layer with every number of the tokens from {@code firstToken} on overwritten, in all
   * heads; of the last query at least.
   */
  TestLayer spoiled(int firstToken, float bad) {
    spoil(queries, Math.min(firstToken, shape.queryTokens() - 1), bad);
    spoil(keys, firstToken, bad);
    spoil(values, firstToken, bad);
    return this;
  }

  private static void spoil(HeadTensor tensor, int firstToken, float bad) {
    float[] row = new float[tensor.headDim()];
    Arrays.fill(row, bad);
    for (int head = 0; head < tensor.heads(); head++) {
      for (int token = firstToken; token < tensor.tokens(); token++) {
        TestTensors.storeRow(tensor, head, token, row);
      }
    }
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
