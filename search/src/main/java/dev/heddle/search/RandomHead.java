package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** A head of normally distributed numbers, to measure times on. */
final class RandomHead implements AutoCloseable {
  private static final long SEED = 1;

  private final Arena arena = Arena.ofShared();
  private final HeadInputs inputs;

  RandomHead(int tokens, int headDim) {
    this(tokens, headDim, SEED);
  }

  RandomHead(int tokens, int headDim, long seed) {
    Random random = new Random(seed);
    inputs =
        new HeadInputs(
            new AttentionShape(1, 1, tokens, tokens, headDim),
            BlockShape.DEFAULT,
            0,
            0,
            matrix(tokens, headDim, random),
            matrix(tokens, headDim, random),
            matrix(tokens, headDim, random),
            (float) (1 / Math.sqrt(headDim)));
  }

  HeadInputs inputs() {
    return inputs;
  }

  private HeadMatrix matrix(int tokens, int headDim, Random random) {
    long numbers = (long) tokens * headDim;
    MemorySegment memory = arena.allocate(numbers * Float.BYTES, Float.BYTES);
    for (long i = 0; i < numbers; i++) {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return HeadMatrix.contiguous(memory, ElementType.FLOAT32, tokens, headDim);
  }

  @Override
  public void close() {
    arena.close();
  }
}
