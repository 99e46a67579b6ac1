package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
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

/** Each kernel of a decoder against what the processor computes. */
@Tag("gpu")
class GpuDecoderKernelsTest {
  private static final double FLOAT32_ROUNDING = 0x1p-20;

  private final SplittableRandom random = new SplittableRandom(7);
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

  /** Has a tag because compute-sanitizer's racecheck ends where cuBLASLt's kernels run. */
  @Tag("products")
  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void productsOfAllShapesAddUp(ElementType type) {
    for (int[] shape :
        new int[][] {{1, 64, 128}, {65, 36, 50}, {300, 4096, 96}, {2048, 512, 1024}, {7, 44, 36}}) {
      for (boolean adds : new boolean[] {false, true}) {
        float[] in = numbers(type, shape[0] * shape[1]);
        float[] weight = numbers(type, shape[2] * shape[1]);
        float[] before = numbers(ElementType.FLOAT32, shape[0] * shape[2]);
        GpuMatrix out = upload(before, ElementType.FLOAT32, shape[0], shape[2]);
        stream.multiply(
            upload(in, type, shape[0], shape[1]),
            upload(weight, type, shape[2], shape[1]),
            out,
            adds);
        float[] found = download(out);
        for (int i = 0; i < found.length; i += Math.max(1, found.length / 997)) {
          double sum = adds ? before[i] : 0;
          double size = Math.abs(sum);
          for (int k = 0; k < shape[1]; k++) {
            double product =
                (double) in[i / shape[2] * shape[1] + k] * weight[i % shape[2] * shape[1] + k];
            sum += product;
            size += Math.abs(product);
          }
          assertThat(Math.abs(found[i] - sum))
              .as("%s, adds %s, number %d", Arrays.toString(shape), adds, i)
              .isLessThanOrEqualTo(size * FLOAT32_ROUNDING);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void rowsAreEmbeddedNormedAndGated(ElementType type) {
    for (int width : new int[] {8, 36, 44, 256, 2304, 4096}) {
      int rows = 5;
      float[] table = numbers(type, 7 * width);
      int[] tokens = {3, 0, 6, 6, 1};
      GpuMatrix hidden = upload(new float[rows * width], ElementType.FLOAT32, rows, width);
      long at = stream.allocate(64);
      stream.upload(MemorySegment.ofArray(tokens), at);
      DecoderKernels kernels = new DecoderKernels(stream, type);
      kernels.embed(at, upload(table, type, 7, width), hidden);
      float[] embedded = download(hidden);
      float[] weight = numbers(ElementType.FLOAT32, width);
      GpuMatrix normed = upload(new float[rows * width], type, rows, width);
      long onDevice = upload(weight, ElementType.FLOAT32, 1, width).address();
      kernels.norm(hidden, new DeviceNorm(onDevice, 1e-5f), normed.address());
      float[] found = download(normed);
      for (int row = 0; row < rows; row++) {
        float[] expected =
            Arrays.copyOfRange(table, tokens[row] * width, (tokens[row] + 1) * width);
        assertThat(Arrays.copyOfRange(embedded, row * width, (row + 1) * width))
            .containsExactly(expected);
        new RmsNorm(weight, 1e-5f).apply(expected, 0);
        assertNear(expected, found, row * width, type);
      }
      gates(kernels, type, width);
      kernels.addBias(hidden, onDevice);
      float[] biased = download(hidden);
      for (int i = 0; i < biased.length; i++) {
        assertThat(biased[i]).isEqualTo(embedded[i] + weight[i % width]);
      }
    }
  }

  private void gates(DecoderKernels kernels, ElementType type, int width) {
    int rows = 3;
    float[] gateUp = numbers(type, rows * 2 * width);
    float[] bias = numbers(ElementType.FLOAT32, 2 * width);
    GpuMatrix onDevice = upload(gateUp, type, rows, 2 * width);
    kernels.gate(onDevice, upload(bias, ElementType.FLOAT32, 1, 2 * width).address());
    float[] found = download(onDevice);
    Silu silu = new Silu(width);
    for (int row = 0; row < rows; row++) {
      float[] gate = new float[width];
      float[] up = new float[width];
      for (int i = 0; i < width; i++) {
        gate[i] = gateUp[row * 2 * width + i] + bias[i];
        up[i] = gateUp[row * 2 * width + width + i] + bias[width + i];
      }
      silu.multiply(gate, up);
      assertNear(gate, found, row * 2 * width, type);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void headsAreFinishedAndPutInTheirPlaces(ElementType type) {
    for (int headDim : new int[] {8, 40, 64, 96, 128, 256}) {
      for (boolean norms : new boolean[] {false, true}) {
        new HeadCase(type, new ModelShape(1, 6, 2, headDim), norms).check();
      }
    }
  }

  /** Some rows of a projection, in the middle of a long text. */
  private final class HeadCase {
    private static final int ROWS = 9;
    private static final int FIRST = 1_000_003;
    private static final int CAPACITY = 20;
    private static final int FIRST_KEY = 5;

    private final ElementType type;
    private final ModelShape shape;
    private final boolean norms;
    private final int dim;
    private final int heads;

    HeadCase(ElementType type, ModelShape shape, boolean norms) {
      this.type = type;
      this.shape = shape;
      this.norms = norms;
      this.dim = shape.headDim();
      this.heads = shape.queryHeads() + 2 * shape.keyValueHeads();
    }

    void check() {
      RotaryEmbedding rotary =
          new RotaryEmbedding(new ModelConfig.Rotary(10_000, new RotaryScaling.None()), dim);
      float[] projected = numbers(type, ROWS * heads * dim);
      float[] bias = numbers(ElementType.FLOAT32, heads * dim);
      float[] queryNorm = numbers(ElementType.FLOAT32, dim);
      float[] keyNorm = numbers(ElementType.FLOAT32, dim);
      GpuMatrix angles = upload(new float[ROWS * dim], ElementType.FLOAT32, ROWS, dim);
      new DecoderKernels(stream, type)
          .angles(
              upload(rotary.frequencies(), ElementType.FLOAT32, 1, dim / 2).address(),
              angles,
              place(FIRST));
      int queryWidth = shape.queryHeads() * dim;
      GpuMatrix queries = upload(new float[ROWS * queryWidth], type, ROWS, queryWidth);
      int cacheRows = shape.keyValueHeads() * CAPACITY;
      GpuMatrix keys = upload(new float[cacheRows * dim], type, cacheRows, dim);
      GpuMatrix values = upload(new float[cacheRows * dim], type, cacheRows, dim);
      GpuMatrix none = keys; // matrices that this kernel does not read
      new HeadKernels(stream, shape, type)
          .split(
              new HeadKernels.Rows(
                  upload(projected, type, ROWS, heads * dim).address(),
                  angles.address(),
                  queries.address(),
                  ROWS),
              new DeviceLayer(
                  new DeviceNorm(0, 0),
                  none,
                  upload(bias, ElementType.FLOAT32, 1, heads * dim).address(),
                  norm(queryNorm),
                  norm(keyNorm),
                  none,
                  0,
                  new DeviceNorm(0, 0),
                  none,
                  0,
                  none,
                  0),
              new DeviceKeyValueCache.Layer(keys.address(), values.address(), CAPACITY),
              place(FIRST_KEY));
      float[] q = download(queries);
      float[] k = download(keys);
      float[] v = download(values);
      for (int row = 0; row < ROWS; row++) {
        float[] cosines = new float[dim / 2];
        float[] sines = new float[dim / 2];
        rotary.angles(FIRST + row, cosines, sines);
        for (int head = 0; head < heads; head++) {
          float[] expected = new float[dim];
          for (int i = 0; i < dim; i++) {
            expected[i] = projected[(row * heads + head) * dim + i] + bias[head * dim + i];
          }
          boolean isQuery = head < shape.queryHeads();
          boolean isValue = head >= shape.queryHeads() + shape.keyValueHeads();
          if (norms && !isValue) {
            new RmsNorm(isQuery ? queryNorm : keyNorm, 1e-6f).apply(expected, 0);
          }
          if (!isValue) {
            RotaryEmbedding.turn(expected, 0, cosines, sines);
          }
          int shared = (head - shape.queryHeads()) % shape.keyValueHeads();
          int place =
              isQuery ? row * queryWidth + head * dim : (shared * CAPACITY + FIRST_KEY + row) * dim;
          assertNear(expected, isQuery ? q : isValue ? v : k, place, type);
        }
      }
      assertThat(Arrays.copyOf(k, FIRST_KEY * dim)).containsOnly(0f);
      assertThat(Arrays.copyOf(v, FIRST_KEY * dim)).containsOnly(0f);
    }

    /** In the launch's parameters, or partly in device memory. */
    private Place place(int token) {
      if (norms) {
        return Place.at(token);
      }
      return Place.in(device().position(token - 2)).plus(2);
    }

    private DeviceNorm norm(float[] weight) {
      long address = norms ? upload(weight, ElementType.FLOAT32, 1, dim).address() : 0;
      return new DeviceNorm(address, 1e-6f);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = ElementType.class,
      names = {"FLOAT16", "BFLOAT16"})
  void oneQueryReadsAllKeys(ElementType type) {
    for (int[] sizes :
        new int[][] {
          {1, 1, 64, 1},
          {8, 2, 64, 63},
          {4, 4, 128, 64},
          {32, 8, 128, 4224},
          {14, 2, 64, 1023},
          {5, 1, 40, 65},
          {6, 2, 96, 200},
          {8, 1, 256, 20_000}
        }) {
      ModelShape shape = new ModelShape(1, sizes[0], sizes[1], sizes[2]);
      int keyTokens = sizes[3];
      int capacity = keyTokens + 3;
      int dim = shape.headDim();
      float[] q = numbers(type, shape.queryHeads() * dim);
      float[] k = numbers(type, shape.keyValueHeads() * capacity * dim);
      float[] v = numbers(type, shape.keyValueHeads() * capacity * dim);
      int rows = shape.keyValueHeads() * capacity;
      GpuMatrix out = upload(new float[shape.queryHeads() * dim], type, shape.queryHeads(), dim);
      DeviceKeyValueCache.Layer cache =
          new DeviceKeyValueCache.Layer(
              upload(k, type, rows, dim).address(), upload(v, type, rows, dim).address(), capacity);
      DecodeKernels.Query query =
          query(upload(q, type, shape.queryHeads(), dim), keyTokens, shape, out);
      new DecodeKernels(stream, shape, type).decode(query, cache);
      float[] found = download(out);
      int group = shape.queryHeads() / shape.keyValueHeads();
      for (int head = 0; head < shape.queryHeads(); head++) {
        int first = head / group * capacity * dim;
        float[] expected = attend(q, head * dim, k, v, new int[] {first, keyTokens, dim});
        assertNear(expected, found, head * dim, type);
      }
    }
  }

  private DecodeKernels.Query query(
      GpuMatrix queries, int keyTokens, ModelShape shape, GpuMatrix out) {
    long position = device().position(keyTokens - 1);
    long scratch = stream.allocate(DecodeKernels.scratchBytes(shape));
    return new DecodeKernels.Query(queries.address(), position, scratch, out.address());
  }

  static float[] attend(float[] q, int query, float[] k, float[] v, int[] place) {
    int dim = place[2];
    double[] scores = new double[place[1]];
    for (int key = 0; key < scores.length; key++) {
      for (int i = 0; i < dim; i++) {
        scores[key] += (double) q[query + i] * k[place[0] + key * dim + i] / Math.sqrt(dim);
      }
    }
    double greatest = Arrays.stream(scores).max().orElseThrow();
    double[] sums = new double[dim];
    double total = 0;
    for (int key = 0; key < scores.length; key++) {
      double weight = Math.exp(scores[key] - greatest);
      total += weight;
      for (int i = 0; i < dim; i++) {
        sums[i] += weight * v[place[0] + key * dim + i];
      }
    }
    float[] out = new float[dim];
    for (int i = 0; i < dim; i++) {
      out[i] = (float) (sums[i] / total);
    }
    return out;
  }

  /** Rounded once to {@code type}, from float32 sums of numbers near 1. */
  static void assertNear(float[] expected, float[] found, int from, ElementType type) {
    for (int i = 0; i < expected.length; i++) {
      double allowed = type.unitRoundoff() * 1.01 * Math.abs(expected[i]) + 1e-5;
      assertThat((double) found[from + i])
          .as("number %d", i)
          .isBetween(expected[i] - allowed, expected[i] + allowed);
    }
  }

  private float[] numbers(ElementType type, int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = type.round((float) random.nextGaussian());
    }
    return numbers;
  }

  private GpuMatrix upload(float[] numbers, ElementType type, int rows, int columns) {
    return GpuMatrix.contiguous(device().upload(numbers, type), type, rows, columns);
  }

  private float[] download(GpuMatrix matrix) {
    return device().download(matrix.address(), matrix.rows() * matrix.columns(), matrix.type());
  }

  private DeviceNumbers device() {
    return new DeviceNumbers(Objects.requireNonNull(stream));
  }
}
