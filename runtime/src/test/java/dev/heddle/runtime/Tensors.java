package dev.heddle.runtime;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** One layer's tensors with random numbers in them, in automatic memory. */
record Tensors(HeadTensor q, HeadTensor k, HeadTensor v, HeadTensor out) {
  /** What a test asks for; the numbers follow from the seed. */
  record Sizes(
      int queryHeads, int keyValueHeads, int queryTokens, int keyTokens, ElementType type) {
    static final int HEAD_DIM = 32; // the least that every backend takes
  }

  static Tensors random(Sizes sizes, long seed) {
    Random random = new Random(seed);
    return new Tensors(
        filled(sizes, sizes.queryHeads(), sizes.queryTokens(), random),
        filled(sizes, sizes.keyValueHeads(), sizes.keyTokens(), random),
        filled(sizes, sizes.keyValueHeads(), sizes.keyTokens(), random),
        empty(sizes, sizes.queryHeads(), sizes.queryTokens()));
  }

  static Tensors random(int queryHeads, int keyValueHeads, int tokens) {
    return random(new Sizes(queryHeads, keyValueHeads, tokens, tokens, ElementType.FLOAT32), 1);
  }

  Prefill prefill() {
    return Prefill.of(q, k, v, out);
  }

  private static HeadTensor filled(Sizes sizes, int heads, int tokens, Random random) {
    HeadTensor tensor = empty(sizes, heads, tokens);
    for (long i = 0; i < (long) heads * tokens * Sizes.HEAD_DIM; i++) {
      sizes.type().store(tensor.memory(), i, (float) random.nextGaussian());
    }
    return tensor;
  }

  private static HeadTensor empty(Sizes sizes, int heads, int tokens) {
    long bytes = (long) heads * tokens * Sizes.HEAD_DIM * sizes.type().bytes();
    MemorySegment memory = Arena.ofAuto().allocate(bytes, 64);
    return HeadTensor.contiguous(memory, sizes.type(), heads, tokens, Sizes.HEAD_DIM);
  }
}
