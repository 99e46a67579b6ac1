package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The product of one row of activations with a weight, against sums in float64. */
@Tag("gpu")
class GpuRowProductTest {
  private static final double FLOAT32_ROUNDING = 0x1p-20;

  private final SplittableRandom random = new SplittableRandom(5);

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void productsOfAllShapesAddUp(ElementType type) {
    BackendProvider cuda =
        Backends.standard().providers().stream()
            .filter(BackendProvider::hasStreams)
            .findFirst()
            .orElseThrow();
    assumeTrue(
        cuda.streams() instanceof Availability.Available, "no model on a GPU: " + cuda.streams());
    try (GpuStream stream = cuda.openStream()) {
      for (int[] shape : new int[][] {{8, 1}, {64, 33}, {1024, 17}, {4104, 95}, {14_336, 64}}) {
        check(stream, type, shape, ElementType.FLOAT32, false);
        check(stream, type, shape, ElementType.FLOAT32, true);
        check(stream, type, shape, type, false);
      }
    }
  }

  private void check(
      GpuStream stream, ElementType type, int[] shape, ElementType outType, boolean adds) {
    float[] in = numbers(type, shape[0]);
    float[] weight = numbers(type, shape[0] * shape[1]);
    float[] before = numbers(outType, shape[1] + 1);
    GpuMatrix out = upload(stream, before, outType, shape[1] + 1);
    GpuMatrix weights = upload(stream, weight, type, shape[0]);
    assertThat(DecoderKernels.takesRow(weights)).isTrue();
    new DecoderKernels(stream, type)
        .rowProduct(upload(stream, in, type, shape[0]), weights, out.left(shape[1]), adds);
    float[] found = new float[shape[1] + 1];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(out.bytes(), 8);
      stream.download(out.address(), memory);
      outType.load(memory, 0, found, 0, found.length);
    }
    for (int o = 0; o < shape[1]; o++) {
      double sum = adds ? before[o] : 0;
      double size = Math.abs(sum);
      for (int i = 0; i < shape[0]; i++) {
        double product = (double) in[i] * weight[o * shape[0] + i];
        sum += product;
        size += Math.abs(product);
      }
      double rounding = outType == ElementType.FLOAT32 ? 0 : outType.unitRoundoff();
      assertThat(Math.abs(found[o] - sum))
          .as("%s, %s to %s, adds %s, number %d", Arrays.toString(shape), type, outType, adds, o)
          .isLessThanOrEqualTo(size * FLOAT32_ROUNDING + 1.01 * rounding * Math.abs(sum));
    }
    assertThat(found[shape[1]]).isEqualTo(before[shape[1]]);
  }

  private float[] numbers(ElementType type, int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = type.round((float) random.nextGaussian());
    }
    return numbers;
  }

  private static GpuMatrix upload(
      GpuStream stream, float[] numbers, ElementType type, int columns) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate((long) numbers.length * type.bytes(), 8);
      type.store(numbers, 0, memory, 0, numbers.length);
      long address = stream.allocate(memory.byteSize());
      stream.upload(memory, address);
      return GpuMatrix.contiguous(address, type, numbers.length / columns, columns);
    }
  }
}
