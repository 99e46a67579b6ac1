package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Makes the numbers of test tensors from a seed. The numbers depend on the seed, the sizes and the
 * order of the calls, not on element type (but for its rounding) or layout.
 *
 * <p>Not safe for use by several threads.
 */
public final class TestTensors {
  /** Offsets that attract attention in {@link #rotaryLayer}, besides 0. */
  private static final int[] SLASH_OFFSETS = {17, 150, 401};

  /** Every so many keys, one attracts attention from all queries in {@link #rotaryLayer}. */
  private static final int HEAVY_COLUMN_DISTANCE = 97;

  private static final double ROTARY_BASE = 10_000;

  /** Standard deviation of the noise in {@link #rotaryLayer}, beside planted lengths above 1. */
  private static final float NOISE = 0.3f;

  private final RandomGenerator random;

  /** Starts the sequence of numbers that belongs to {@code seed}. */
  public TestTensors(long seed) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /** Independent numbers from the standard normal distribution. */
  public HeadTensor gaussian(Layout layout, ElementType type, int heads, int tokens, int headDim) {
    return fill(layout.allocate(type, heads, tokens, headDim), 1, (token, row) -> {});
  }

  /** A layer of independent normal numbers: attention is spread out, without any structure. */
  public TestLayer gaussianLayer(AttentionShape shape, ElementType type, Layout layout) {
    return new TestLayer(
        shape,
        gaussian(layout, type, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
        gaussian(layout, type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()),
        gaussian(layout, type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()));
  }

  /**
   * A layer whose attention has the lines of real heads: each head's queries and keys are one
   * vector under rotary position embedding, which makes scores depend on the offset and peak at a
   * few; and some keys, the first among them, carry a component that all queries look for.
   */
  public TestLayer rotaryLayer(AttentionShape shape, ElementType type, Layout layout) {
    return new TestLayer(
        shape,
        fill(
            layout.allocate(type, shape.queryHeads(), shape.queryTokens(), shape.headDim()),
            NOISE,
            (query, row) -> addQuery(query + shape.firstQueryPosition(), row)),
        fill(
            layout.allocate(type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()),
            NOISE,
            TestTensors::addKey),
        gaussian(layout, type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim()));
  }

  /** Writes one row of a head. */
  public static void storeRow(HeadTensor tensor, int head, int token, float[] row) {
    HeadMatrix rows = tensor.head(head);
    tensor.type().store(row, 0, rows.memory(), rows.rowOffset(token), row.length);
  }

  /** Adds what is planted to a row of noise. */
  private interface Planting {
    void addTo(int token, float[] row);
  }

  private HeadTensor fill(HeadTensor tensor, float noise, Planting planting) {
    float[] row = new float[tensor.headDim()];
    for (int head = 0; head < tensor.heads(); head++) {
      for (int token = 0; token < tensor.tokens(); token++) {
        for (int dim = 0; dim < row.length; dim++) {
          row[dim] = noise * (float) random.nextGaussian();
        }
        planting.addTo(token, row);
        storeRow(tensor, head, token, row);
      }
    }
    return tensor;
  }

  private static void addQuery(int position, float[] row) {
    addRotated(row, position, 1.5);
    row[row.length - 1] += 4;
  }

  private static void addKey(int position, float[] row) {
    addRotated(row, position, 1.5);
    for (int offset : SLASH_OFFSETS) {
      addRotated(row, position + offset, 1.2);
    }
    row[row.length - 1] += position % HEAVY_COLUMN_DISTANCE == 0 ? 6 : 0;
  }

  /** Adds a vector per pair of dims, turned by the position; the last pair stays free. */
  private static void addRotated(float[] row, int position, double length) {
    int pairs = row.length / 2 - 1;
    for (int pair = 0; pair < pairs; pair++) {
      double angle = position * Math.pow(ROTARY_BASE, -(double) pair / pairs);
      row[2 * pair] += (float) (length * Math.cos(angle));
      row[2 * pair + 1] += (float) (length * Math.sin(angle));
    }
  }
}
