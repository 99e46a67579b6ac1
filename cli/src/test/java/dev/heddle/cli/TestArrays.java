package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Array files of seeded random numbers. */
final class TestArrays {
  private TestArrays() {}

  /** Writes {@code [heads][tokens][headDim]} normal numbers in the form that the ending names. */
  static Path write(Path file, ElementType type, long seed, int heads, int tokens, int headDim) {
    try (Arena arena = Arena.ofConfined();
        StagedFiles files = new StagedFiles()) {
      HeadTensor tensor = random(arena, type, seed, heads, tokens, headDim);
      List<Long> shape = List.of((long) heads, (long) tokens, (long) headDim);
      ArrayOutput.open(files, file, new ArrayOutput.Form("x", type, shape)).write(tensor.memory());
      files.commit();
      return file;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static HeadTensor random(
      Arena arena, ElementType type, long seed, int heads, int tokens, int headDim) {
    Random random = new Random(seed);
    long numbers = (long) heads * tokens * headDim;
    MemorySegment memory = arena.allocate(numbers * type.bytes());
    for (long i = 0; i < numbers; i++) {
      type.store(memory, i, (float) random.nextGaussian());
    }
    return HeadTensor.contiguous(memory, type, heads, tokens, headDim);
  }
}
