package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.List;

/**
 * Attention of one head after the other, and how close it comes to dense: the memory of two outputs
 * of one head, reused. Not safe for use by several threads at once.
 */
final class HeadMeter implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final AttentionBackend backend;
  private final int tailQueries;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment denseOut;
  private final MemorySegment denseLogSumExp;
  private final MemorySegment out;
  private final MemorySegment logSumExp;

  /**
   * Allocates.
   *
   * @param tokens most tokens of a sample
   * @param tailQueries queries at the end of a sample that are looked at apart
   */
  HeadMeter(AttentionBackend backend, int tokens, int headDim, int tailQueries) {
    this.backend = backend;
    this.tailQueries = tailQueries;
    this.denseOut = allocate((long) tokens * headDim);
    this.out = allocate((long) tokens * headDim);
    this.denseLogSumExp = allocate(tokens);
    this.logSumExp = allocate(tokens);
  }

  /** How close an output came to dense. */
  record Closeness(double error, double tailError, double recall, double tailRecall) {}

  /** Computes dense attention of {@code head}, which {@link #compare} compares with. */
  void dense(HeadInputs head) {
    attend(head, BlockIndex.dense(head.shape(), head.blocks()), denseOut, denseLogSumExp);
  }

  /**
   * Computes attention of {@code head} with {@code index}, and its distance to the dense output.
   */
  Closeness compare(HeadInputs head, BlockIndex index) {
    attend(head, index, out, logSumExp);
    int tokens = head.shape().queryTokens();
    int headDim = head.shape().headDim();
    int tail = Math.max(0, tokens - tailQueries);
    Sums before = sums(0, tail, headDim);
    Sums last = sums(tail, tokens, headDim);
    return new Closeness(
        relative(before.difference + last.difference, before.size + last.size),
        relative(last.difference, last.size),
        share(before.kept + last.kept, tokens),
        share(last.kept, tokens - tail));
  }

  /**
   * A call for as many copies of {@code head} as {@code index} has query heads, all of which write
   * into the same memory: good for nothing but its time.
   */
  AttentionCall copies(HeadInputs head, BlockIndex index) {
    AttentionShape shape = index.shape();
    HeadTensor output =
        new HeadTensor(
            out,
            ElementType.FLOAT32,
            shape.queryHeads(),
            shape.queryTokens(),
            shape.headDim(),
            0,
            shape.headDim());
    return new AttentionCall(
        shape,
        tensor(head.queries(), shape.queryHeads()),
        tensor(head.keys(), 1),
        tensor(head.values(), 1),
        output,
        MemorySegment.NULL,
        head.softmaxScale(),
        Collections.nCopies(shape.queryHeads(), index));
  }

  /** An output that is not finite is as wrong as one that is nothing. */
  private static double relative(double difference, double size) {
    double error = size > 0 ? Math.sqrt(difference / size) : difference == 0 ? 0 : 1;
    return Double.isFinite(error) ? error : 1;
  }

  private static double share(double kept, int queries) {
    return Double.isFinite(kept) ? kept / queries : 0;
  }

  /** Sums over some queries. */
  private record Sums(double difference, double size, double kept) {}

  private Sums sums(int first, int end, int headDim) {
    double difference = 0;
    double size = 0;
    double kept = 0;
    for (int query = first; query < end; query++) {
      for (long i = (long) query * headDim; i < (query + 1L) * headDim; i++) {
        double dense = denseOut.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        double delta = out.getAtIndex(ValueLayout.JAVA_FLOAT, i) - dense;
        difference += delta * delta;
        size += dense * dense;
      }
      kept +=
          Math.exp(
              (double) logSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, query)
                  - denseLogSumExp.getAtIndex(ValueLayout.JAVA_FLOAT, query));
    }
    return new Sums(difference, size, kept);
  }

  private void attend(
      HeadInputs head, BlockIndex index, MemorySegment output, MemorySegment logSums) {
    AttentionShape shape = head.shape();
    backend.attend(
        new AttentionCall(
            shape,
            tensor(head.queries(), 1),
            tensor(head.keys(), 1),
            tensor(head.values(), 1),
            HeadTensor.contiguous(
                output, ElementType.FLOAT32, 1, shape.queryTokens(), shape.headDim()),
            logSums,
            head.softmaxScale(),
            List.of(index)));
  }

  private static HeadTensor tensor(HeadMatrix head, int copies) {
    return new HeadTensor(
        head.memory().asSlice(head.offset() * head.type().bytes()),
        head.type(),
        copies,
        head.tokens(),
        head.headDim(),
        0,
        head.tokenStride());
  }

  private MemorySegment allocate(long floats) {
    return arena.allocate(floats * Float.BYTES, ALIGNMENT);
  }

  @Override
  public void close() {
    arena.close();
  }
}
