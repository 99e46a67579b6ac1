package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.DeviceKeyValueCache.Layer;
import dev.heddle.llm.DeviceKeyValueCache.NarrowLayer;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys and values in 8 bits on a GPU: how they are kept, and attention over them. */
@Tag("gpu")
class GpuCacheKernelsTest {
  private final SplittableRandom random = new SplittableRandom(11);
  private GpuStream stream;

  @BeforeEach
  void open() {
    stream = GpuModels.require().openStream();
  }

  @AfterEach
  void close() {
    if (stream != null) {
      stream.close();
    }
  }

  /** Query heads, key/value heads, head dim, tokens. */
  private static final int[][] SIZES = {
    {1, 1, 64, 1},
    {8, 2, 64, 63},
    {4, 4, 128, 64},
    {32, 8, 128, 4224},
    {14, 2, 64, 1023},
    {5, 1, 40, 65},
    {24, 2, 96, 200},
    {3, 1, 8, 17},
    {8, 1, 256, 20_000}
  };

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void rowsAreKeptByTheRuleAndReadAsTheyAreKept(ElementType type) {
    for (int[] sizes : SIZES) {
      new Case(type, new ModelShape(1, sizes[0], sizes[1], sizes[2]), sizes[3]).check();
    }
  }

  /** A layer whose first tokens are kept in two parts. */
  private final class Case {
    private final ElementType type;
    private final ModelShape shape;
    private final int tokens;
    private final int capacity;
    private final int dim;
    private final float[] keys;
    private final float[] values;
    private final float[] keptKeys;
    private final float[] keptValues;

    Case(ElementType type, ModelShape shape, int tokens) {
      this.type = type;
      this.shape = shape;
      this.tokens = tokens;
      this.capacity = tokens + 3;
      this.dim = shape.headDim();
      this.keys = rows();
      this.values = rows();
      this.keptKeys = kept(keys);
      this.keptValues = kept(values);
    }

    /** Rows of all sizes, one of them zeros. */
    private float[] rows() {
      float[] numbers = new float[shape.keyValueHeads() * capacity * dim];
      for (int row = 0; row < numbers.length / dim; row++) {
        double size = row == 5 ? 0 : Math.exp(random.nextDouble(-1, 1));
        for (int i = 0; i < dim; i++) {
          numbers[row * dim + i] = type.round((float) (size * random.nextGaussian()));
        }
      }
      return numbers;
    }

    private float[] kept(float[] numbers) {
      float[] kept = new float[numbers.length];
      for (int at = 0; at < numbers.length; at += dim) {
        float[] row = E4m3.kept(Arrays.copyOfRange(numbers, at, at + dim));
        System.arraycopy(row, 0, kept, at, dim);
      }
      return kept;
    }

    void check() {
      DecodeKernels kernels = new DecodeKernels(stream, shape, type);
      Layer wide = new Layer(device().upload(keys, type), device().upload(values, type), capacity);
      int numbers = keys.length;
      long scaleBytes = (long) numbers / dim * Float.BYTES;
      NarrowLayer narrow =
          new NarrowLayer(
              stream.allocate(numbers),
              stream.allocate(numbers),
              stream.allocate(scaleBytes),
              stream.allocate(scaleBytes),
              capacity);
      int first = tokens / 2;
      if (first > 0) {
        kernels.narrow(wide, narrow, Place.at(0), first);
      }
      kernels.narrow(wide, narrow, Place.in(device().position(first)), tokens - first);
      assertKept(keptKeys, narrow.keys(), narrow.keyScales());
      assertKept(keptValues, narrow.values(), narrow.valueScales());
      Layer back =
          new Layer(stream.allocate(2L * numbers), stream.allocate(2L * numbers), capacity);
      kernels.widen(narrow, back, tokens);
      assertWide(keptKeys, back.keys());
      assertWide(keptValues, back.values());
      attend(kernels, narrow);
    }

    private void assertKept(float[] expected, long codes, long scales) {
      byte[] found = new byte[expected.length];
      stream.download(codes, MemorySegment.ofArray(found));
      float[] scale = new float[expected.length / dim];
      stream.download(scales, MemorySegment.ofArray(scale));
      forEachNumber((row, i) ->
          assertThat(E4m3.decode(found[row * dim + i]) * scale[row])
              .as("%s %s, row %d, number %d", type, shape, row, i)
              .isEqualTo(expected[row * dim + i]));
    }

    private void assertWide(float[] expected, long address) {
      float[] found = device().download(address, expected.length, type);
      forEachNumber((row, i) ->
          assertThat(found[row * dim + i])
              .as("%s %s, row %d, number %d", type, shape, row, i)
              .isEqualTo(type.round(expected[row * dim + i])));
    }

    private void forEachNumber(NumberCheck check) {
      for (int head = 0; head < shape.keyValueHeads(); head++) {
        for (int token = 0; token < tokens; token++) {
          for (int i = 0; i < dim; i++) {
            check.at(head * capacity + token, i);
          }
        }
      }
    }

    private void attend(DecodeKernels kernels, NarrowLayer narrow) {
      float[] q = new float[shape.queryHeads() * dim];
      for (int i = 0; i < q.length; i++) {
        q[i] = type.round((float) random.nextGaussian());
      }
      long out = stream.allocate(2L * q.length);
      kernels.decode(
          new DecodeKernels.Query(
              device().upload(q, type),
              device().position(tokens - 1),
              stream.allocate(DecodeKernels.scratchBytes(shape)),
              out),
          narrow);
      float[] found = device().download(out, q.length, type);
      int group = shape.queryHeads() / shape.keyValueHeads();
      for (int head = 0; head < shape.queryHeads(); head++) {
        int[] place = {head / group * capacity * dim, tokens, dim};
        float[] expected = GpuDecoderKernelsTest.attend(q, head * dim, keptKeys, keptValues, place);
        GpuDecoderKernelsTest.assertNear(expected, found, head * dim, type);
      }
    }
  }

  /** One number of a row. */
  @FunctionalInterface
  private interface NumberCheck {
    void at(int row, int number);
  }

  private DeviceNumbers device() {
    return new DeviceNumbers(Objects.requireNonNull(stream));
  }
}
