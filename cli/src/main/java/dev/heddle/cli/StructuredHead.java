package dev.heddle.cli;

import dev.heddle.cli.NormalNoise.Hash;

/**
 * What is constant in the queries and keys of one key/value head and the query heads that share it.
 *
 * <p>Three quarters of the dims are pairs turned by rotary position embedding: with a constant
 * vector {@code a} there, {@code q·k = Σ |a_p|² cos(θ_p (i − j))} depends on the offset alone and
 * is largest at 0, which gives a band of slash lines; a query head also holds {@code a} turned back
 * by an offset of its own, which gives a second band there. The slow pairs carry most of {@code a},
 * so that bands fall off over thousands of tokens, and the fast pairs sharpen their middle. The
 * other dims stay unturned: queries look along a direction in them, and planted keys carry it,
 * which gives vertical lines. Query heads look along slightly different directions, so that they
 * rank the planted keys differently.
 */
final class StructuredHead {
  /** Rotary base of models for long prompts. */
  static final double ROTARY_BASE = 500_000;

  /** Score at offset 0. */
  static final double NEAR_SCORE = 10;

  /** The second band's score, as a share of the first's. */
  static final double FAR_SHARE = 0.7;

  /** One key in so many is planted, besides the first ones. */
  static final int PLANTED_DISTANCE = 32;

  /** The first keys of a prompt are planted, and strongest: the attention sink. */
  static final int SINK_TOKENS = 4;

  static final double LEAST_PLANTED_SCORE = 6.2;
  static final double GREATEST_PLANTED_SCORE = 7.5;

  /** Directions lie within this of their middle, in radians: 15 degrees. */
  static final double SPREAD = Math.PI / 12;

  /** Exponent of the lengths of {@code a} over the pairs: 0 would make all pairs equal. */
  private static final double SLOWNESS = 6;

  private final long seed;
  private final int headDim;
  private final int pairs;
  private final double scoreScale;
  private final double[] real;
  private final double[] imaginary;
  private final double[][] directions;

  /** Makes the head numbered {@code keyValueHead} of the layer that belongs to {@code seed}. */
  StructuredHead(long seed, int keyValueHead, int headDim) {
    this.seed = Hash.of(seed, keyValueHead);
    this.headDim = headDim;
    this.pairs = rotaryPairs(headDim);
    this.scoreScale = Math.sqrt(headDim);
    this.real = new double[pairs];
    this.imaginary = new double[pairs];
    double[] squares = new double[pairs];
    double sum = 0;
    for (int pair = 0; pair < pairs; pair++) {
      squares[pair] = Math.pow((pair + 1.0) / pairs, SLOWNESS);
      sum += squares[pair];
    }
    for (int pair = 0; pair < pairs; pair++) {
      double length = Math.sqrt(squares[pair] / sum * NEAR_SCORE * scoreScale);
      double phase = 2 * Math.PI * Hash.unit(Hash.of(this.seed, 1, pair));
      real[pair] = length * Math.cos(phase);
      imaginary[pair] = length * Math.sin(phase);
    }
    this.directions = orthonormal(headDim - 2 * pairs);
  }

  /** Pairs of dims that are turned by the position. */
  static int rotaryPairs(int headDim) {
    return headDim / 8 * 3;
  }

  /** Radians per token of pair {@code pair}. */
  static double frequency(int pair, int headDim) {
    return Math.pow(ROTARY_BASE, -2.0 * pair / headDim);
  }

  /** The row that every key holds before it is turned. */
  float[] key() {
    return rotary(0, 0);
  }

  /** What a planted key holds in addition. */
  float[] planted(int token) {
    double score = plantedScore(token);
    double angle = token < SINK_TOKENS ? 0 : angle(Hash.of(seed, 4, token));
    return along(angle, score * scoreScale / lookLength());
  }

  /** Whether key {@code token} is planted. */
  boolean isPlanted(int token) {
    return token < SINK_TOKENS || Hash.unit(Hash.of(seed, 2, token)) * PLANTED_DISTANCE < 1;
  }

  /** Score that planted key {@code token} gets from a query that looks straight at it. */
  double plantedScore(int token) {
    double strength = token < SINK_TOKENS ? 1 : Hash.unit(Hash.of(seed, 3, token));
    return LEAST_PLANTED_SCORE
        + (GREATEST_PLANTED_SCORE - LEAST_PLANTED_SCORE) * strength * strength;
  }

  /** The row that every query of a query head holds before it is turned. */
  float[] query(int queryHead, int tokens) {
    float[] row = rotary(FAR_SHARE, farOffset(queryHead, tokens));
    float[] look = along(angle(Hash.of(seed, 5, queryHead)), lookLength());
    for (int dim = 0; dim < headDim; dim++) {
      row[dim] += look[dim];
    }
    return row;
  }

  /** Offset of the second band of a query head: between an eighth and a half of the prompt. */
  int farOffset(int queryHead, int tokens) {
    double share = 0.125 * Math.pow(4, Hash.unit(Hash.of(seed, 6, queryHead)));
    return (int) (share * tokens);
  }

  /** {@code a}, and a share of {@code a} turned back by {@code offset} tokens. */
  private float[] rotary(double share, int offset) {
    float[] row = new float[headDim];
    for (int pair = 0; pair < pairs; pair++) {
      double angle = -offset * frequency(pair, headDim);
      double cos = 1 + share * Math.cos(angle);
      double sin = share * Math.sin(angle);
      row[2 * pair] = (float) (real[pair] * cos - imaginary[pair] * sin);
      row[2 * pair + 1] = (float) (real[pair] * sin + imaginary[pair] * cos);
    }
    return row;
  }

  /** A vector of {@code length} in the unturned dims, {@code angle} from their middle direction. */
  private float[] along(double angle, double length) {
    float[] row = new float[headDim];
    double cos = length * Math.cos(angle);
    double sin = length * Math.sin(angle);
    for (int i = 0; i < directions[0].length; i++) {
      row[2 * pairs + i] = (float) (cos * directions[0][i] + sin * directions[1][i]);
    }
    return row;
  }

  /** Shares a planted score between query and key about evenly. */
  private double lookLength() {
    return Math.sqrt(GREATEST_PLANTED_SCORE * scoreScale);
  }

  private static double angle(long hash) {
    return SPREAD * (2 * Hash.unit(hash) - 1);
  }

  /** Two vectors of length 1 at right angles. */
  private double[][] orthonormal(int dims) {
    double[][] vectors = new double[2][dims];
    for (int i = 0; i < dims; i++) {
      vectors[0][i] = Hash.unit(Hash.of(seed, 7, i)) - 0.5;
      vectors[1][i] = Hash.unit(Hash.of(seed, 8, i)) - 0.5;
    }
    scale(vectors[0], 1 / Math.sqrt(dot(vectors[0], vectors[0])));
    double common = dot(vectors[0], vectors[1]);
    for (int i = 0; i < dims; i++) {
      vectors[1][i] -= common * vectors[0][i];
    }
    scale(vectors[1], 1 / Math.sqrt(dot(vectors[1], vectors[1])));
    return vectors;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static void scale(double[] vector, double factor) {
    for (int i = 0; i < vector.length; i++) {
      vector[i] *= factor;
    }
  }
}
