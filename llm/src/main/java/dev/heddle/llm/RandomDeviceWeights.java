package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Random bfloat16 weights, made on the device, of a model that is only measured.
 *
 * <p>Activations keep a size near 1. Numbers of Q and K are small beside constant vectors, their
 * biases, which the turn by the position makes into bands: with the same vector in Q and K the
 * score of a query and a key depends on their distance alone and is greatest at 0; Q also holds a
 * share of the vector turned back by an offset of the head's own, which gives a second band there.
 */
final class RandomDeviceWeights {
  private static final ElementType TYPE = ElementType.BFLOAT16;

  /** Size of what is random in Q and K. */
  private static final float NOISE = 0.2f;

  /** Score at distance 0. */
  private static final double NEAR_SCORE = 10;

  /** The second band's score, as a share of the first's. */
  private static final double FAR_SHARE = 0.7;

  /** The second band lies between these distances. */
  private static final double LEAST_OFFSET = 1 << 10;

  private static final double GREATEST_OFFSET = 1 << 16;

  /** Slow pairs carry most of the vectors, so that bands fall off over thousands of tokens. */
  private static final double SLOWNESS = 6;

  private final GpuStream stream;
  private final ModelConfig config;
  private final DecoderKernels kernels;
  private final SplittableRandom random = new SplittableRandom(1);
  private final float[] frequencies;
  private long seed;

  RandomDeviceWeights(GpuStream stream, ModelConfig config) {
    this.stream = stream;
    this.config = config;
    this.kernels = new DecoderKernels(stream, TYPE);
    this.frequencies =
        new RotaryEmbedding(config.rotary(), config.attention().headDim()).frequencies();
  }

  DeviceWeights make() {
    int hidden = config.hiddenSize();
    GpuMatrix embedding = matrix(config.vocabularySize(), hidden);
    randomise(embedding, 1);
    GpuMatrix output = embedding;
    if (!config.tiedEmbeddings()) {
      output = matrix(config.vocabularySize(), hidden);
      randomise(output, 1 / Math.sqrt(hidden));
    }
    DeviceWeights made =
        new DeviceWeights(
            TYPE,
            embedding,
            IntStream.range(0, config.attention().layers()).mapToObj(_ -> layer()).toList(),
            norm(hidden),
            output,
            floats(frequencies));
    stream.await();
    return made;
  }

  private DeviceLayer layer() {
    int hidden = config.hiddenSize();
    int inner = config.intermediateSize();
    double perInput = 1 / Math.sqrt(hidden);
    int turnedWidth = config.queryWidth() + config.keyValueWidth();
    GpuMatrix queryKeyValue = matrix(turnedWidth + config.keyValueWidth(), hidden);
    randomise(queryKeyValue.slice(0, turnedWidth), NOISE * perInput);
    randomise(queryKeyValue.slice(turnedWidth, config.keyValueWidth()), perInput);
    GpuMatrix output = matrix(hidden, config.queryWidth());
    randomise(output, 0.5 / Math.sqrt(config.queryWidth()));
    GpuMatrix gateUp = matrix(2 * inner, hidden);
    randomise(gateUp, perInput);
    GpuMatrix down = matrix(hidden, inner);
    randomise(down, 0.5 / Math.sqrt(inner));
    DeviceNorm none = new DeviceNorm(0, config.normEpsilon());
    return new DeviceLayer(
        norm(hidden),
        queryKeyValue,
        floats(bands()),
        none,
        none,
        output,
        0,
        norm(hidden),
        gateUp,
        0,
        down,
        0);
  }

  /** Biases of Q and K; V has zeros. */
  private float[] bands() {
    ModelShape shape = config.attention();
    int dim = shape.headDim();
    float[] bias = new float[config.queryWidth() + 2 * config.keyValueWidth()];
    for (int shared = 0; shared < shape.keyValueHeads(); shared++) {
      double[][] vector = vector(dim);
      write(vector, 0, 0, bias, config.queryWidth() + shared * dim);
      int group = shape.queryHeads() / shape.keyValueHeads();
      for (int head = shared * group; head < (shared + 1) * group; head++) {
        double offset =
            LEAST_OFFSET * Math.pow(GREATEST_OFFSET / LEAST_OFFSET, random.nextDouble());
        write(vector, FAR_SHARE, offset, bias, head * dim);
      }
    }
    return bias;
  }

  /** Real and imaginary part of each pair; q·k of two of them is the score at distance 0. */
  private double[][] vector(int dim) {
    int pairs = dim / 2;
    double[] squares = new double[pairs];
    for (int pair = 0; pair < pairs; pair++) {
      squares[pair] = Math.pow((pair + 1.0) / pairs, SLOWNESS);
    }
    double sum = Arrays.stream(squares).sum();
    double[][] vector = new double[2][pairs];
    for (int pair = 0; pair < pairs; pair++) {
      double length = Math.sqrt(squares[pair] / sum * NEAR_SCORE * Math.sqrt(dim));
      double phase = 2 * Math.PI * random.nextDouble();
      vector[0][pair] = length * Math.cos(phase);
      vector[1][pair] = length * Math.sin(phase);
    }
    return vector;
  }

  /** Writes the vector and {@code share} of it turned back by {@code offset} tokens. */
  private void write(double[][] vector, double share, double offset, float[] bias, int at) {
    int pairs = vector[0].length;
    for (int pair = 0; pair < pairs; pair++) {
      double angle = -offset * frequencies[pair];
      double cosine = 1 + share * Math.cos(angle);
      double sine = share * Math.sin(angle);
      bias[at + pair] = (float) (vector[0][pair] * cosine - vector[1][pair] * sine);
      bias[at + pairs + pair] = (float) (vector[0][pair] * sine + vector[1][pair] * cosine);
    }
  }

  private DeviceNorm norm(int width) {
    float[] ones = new float[width];
    Arrays.fill(ones, 1);
    return new DeviceNorm(floats(ones), config.normEpsilon());
  }

  private long floats(float[] numbers) {
    long address = stream.allocate((long) numbers.length * Float.BYTES);
    stream.upload(MemorySegment.ofArray(numbers), address);
    return address;
  }

  private GpuMatrix matrix(int rows, int columns) {
    long address = stream.allocate((long) rows * columns * TYPE.bytes());
    return GpuMatrix.contiguous(address, TYPE, rows, columns);
  }

  /** Numbers of this standard deviation. */
  private void randomise(GpuMatrix matrix, double deviation) {
    kernels.randomise(matrix, seed, (float) (Math.sqrt(3) * deviation));
    seed += (long) matrix.rows() * matrix.columns();
  }
}
