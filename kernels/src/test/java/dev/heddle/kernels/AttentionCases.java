package dev.heddle.kernels;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random calls, all from one seed. */
public final class AttentionCases {
  private final Random random;

  public AttentionCases(long seed) {
    this.random = new Random(seed);
  }

  /** Standard normal Q, K and V, rounded to {@code type}; the output is of the same type. */
  public AttentionCall call(AttentionShape shape, ElementType type, List<BlockIndex> indices) {
    return new AttentionCall(
        shape,
        normal(type, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
        normal(type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()),
        normal(type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()),
        zeros(type, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
        Arena.ofAuto().allocate(4L * shape.queryHeads() * shape.queryTokens()),
        (float) (1 / Math.sqrt(shape.headDim())),
        indices);
  }

  /** The same inputs with other indices and with outputs of their own, of type {@code type}. */
  public static AttentionCall again(
      AttentionCall call, ElementType type, List<BlockIndex> indices) {
    AttentionShape shape = call.shape();
    return new AttentionCall(
        shape,
        call.queries(),
        call.keys(),
        call.values(),
        zeros(type, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
        Arena.ofAuto().allocate(4L * shape.queryHeads() * shape.queryTokens()),
        call.softmaxScale(),
        indices);
  }

  /** For each query head an index with random ranges and columns. */
  public List<BlockIndex> indices(AttentionShape shape, BlockShape blocks) {
    return IntStream.range(0, shape.queryHeads()).mapToObj(head -> index(shape, blocks)).toList();
  }

  /** For each query head the dense index. */
  public static List<BlockIndex> dense(AttentionShape shape) {
    return Collections.nCopies(shape.queryHeads(), BlockIndex.dense(shape, BlockShape.DEFAULT));
  }

  /** For each query head an index that lists every key and is not the dense one. */
  public static List<BlockIndex> everything(AttentionShape shape) {
    BlockIndexBuilder builder = BlockIndex.builder(shape, BlockShape.DEFAULT);
    for (int row = 0; row < BlockShape.DEFAULT.queryBlocks(shape.queryTokens()); row++) {
      builder.addRange(0, builder.visibleKeys()).endRow();
    }
    return Collections.nCopies(shape.queryHeads(), builder.build());
  }

  public HeadTensor normal(ElementType type, int heads, int tokens, int headDim) {
    HeadTensor tensor = zeros(type, heads, tokens, headDim);
    for (long i = 0; i < (long) heads * tokens * headDim; i++) {
      type.store(tensor.memory(), i, (float) random.nextGaussian());
    }
    return tensor;
  }

  public static HeadTensor zeros(ElementType type, int heads, int tokens, int headDim) {
    MemorySegment memory =
        Arena.ofAuto().allocate((long) heads * tokens * headDim * type.bytes(), 64);
    return HeadTensor.contiguous(memory, type, heads, tokens, headDim);
  }

  private BlockIndex index(AttentionShape shape, BlockShape blocks) {
    BlockIndexBuilder builder = BlockIndex.builder(shape, blocks);
    for (int row = 0; row < blocks.queryBlocks(shape.queryTokens()); row++) {
      int visible = builder.visibleKeys();
      for (int i = random.nextInt(4); i > 0; i--) {
        int first = random.nextInt(visible);
        builder.addRange(first, first + random.nextInt(3 * blocks.keyColumns()));
      }
      for (int i = random.nextInt(20); i > 0; i--) {
        builder.addColumn(random.nextInt(visible));
      }
      builder.addColumn(random.nextInt(builder.firstPosition() + 1)).endRow();
    }
    return builder.build();
  }
}
