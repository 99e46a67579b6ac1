package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.cli.NormalNoise.Hash;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Q, K and V with the structure of trained heads, made from a seed: {@link StructuredHead} and
 * noise. Each row depends on seed, head and token alone, so that all threads of the machine make
 * rows at once and the numbers are the same with any number of them.
 *
 * @param queries Q, {@code [queryHeads][queryTokens][headDim]}
 * @param keys K, {@code [keyValueHeads][keyTokens][headDim]}
 * @param values V, of the sizes of K: noise alone
 */
record StructuredLayer(HeadTensor queries, HeadTensor keys, HeadTensor values) {
  /** Standard deviation of the noise on each number of Q and K. */
  static final float NOISE = 0.2f;

  private static final int HEAD_DIM_STEP = 8;
  private static final int ROWS_PER_TASK = 256;

  /**
   * Bytes of host memory that {@link #make} takes.
   *
   * @throws InvalidInputException if the head dim is none that it takes
   */
  static long bytes(AttentionShape shape, ElementType type) {
    if (shape.headDim() % HEAD_DIM_STEP != 0) {
      throw new InvalidInputException(
          "head dim is %d; allowed: a multiple of %d".formatted(shape.headDim(), HEAD_DIM_STEP));
    }
    long rows =
        (long) shape.queryHeads() * shape.queryTokens()
            + 2L * shape.keyValueHeads() * shape.keyTokens();
    return rows * shape.headDim() * type.bytes();
  }

  /** Makes the layer that belongs to {@code seed} in memory of {@code arena}, a shared one. */
  static StructuredLayer make(AttentionShape shape, ElementType type, long seed, Arena arena) {
    HeadTensor queries =
        allocate(arena, type, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    HeadTensor keys =
        allocate(arena, type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim());
    HeadTensor values =
        allocate(arena, type, shape.keyValueHeads(), shape.keyTokens(), shape.headDim());
    StructuredLayer layer = new StructuredLayer(queries, keys, values);
    new Maker(shape, seed, layer).make();
    return layer;
  }

  /** Contiguous memory for one tensor. */
  static HeadTensor allocate(Arena arena, ElementType type, int heads, int tokens, int headDim) {
    MemorySegment memory =
        arena.allocate((long) heads * tokens * headDim * type.bytes(), Long.BYTES);
    return HeadTensor.contiguous(memory, type, heads, tokens, headDim);
  }

  /** One making. */
  private static final class Maker {
    private final AttentionShape shape;
    private final long seed;
    private final StructuredLayer layer;
    private final List<StructuredHead> heads;
    private final List<float[]> queryRows;
    private final List<float[]> keyRows;
    private final NormalNoise noise = new NormalNoise();

    Maker(AttentionShape shape, long seed, StructuredLayer layer) {
      this.shape = shape;
      this.seed = seed;
      this.layer = layer;
      this.heads =
          each(shape.keyValueHeads(), head -> new StructuredHead(seed, head, shape.headDim()));
      this.keyRows = heads.stream().map(StructuredHead::key).toList();
      this.queryRows =
          each(
              shape.queryHeads(),
              head -> heads.get(shape.keyValueHead(head)).query(head, shape.keyTokens()));
    }

    void make() {
      IntStream.range(0, Math.ceilDiv(shape.keyTokens(), ROWS_PER_TASK))
          .parallel()
          .forEach(task -> {
            int first = task * ROWS_PER_TASK;
            makeRows(first, Math.min(shape.keyTokens(), first + ROWS_PER_TASK));
          });
    }

    private void makeRows(int first, int end) {
      Rotation rotation = new Rotation(shape.headDim());
      float[] row = new float[shape.headDim()];
      for (int token = first; token < end; token++) {
        rotation.turnTo(token);
        for (int head = 0; head < shape.keyValueHeads(); head++) {
          rotation.turn(keyRows.get(head), row);
          if (heads.get(head).isPlanted(token)) {
            add(heads.get(head).planted(token), row);
          }
          noise.addTo(row, NOISE, Hash.of(seed, 1, head, token));
          store(layer.keys(), head, token, row);
          Arrays.fill(row, 0);
          noise.addTo(row, 1, Hash.of(seed, 2, head, token));
          store(layer.values(), head, token, row);
        }
        int query = token - shape.firstQueryPosition();
        for (int head = 0; head < shape.queryHeads() && query >= 0; head++) {
          rotation.turn(queryRows.get(head), row);
          noise.addTo(row, NOISE, Hash.of(seed, 3, head, token));
          store(layer.queries(), head, query, row);
        }
      }
    }

    private static void add(float[] what, float[] row) {
      for (int dim = 0; dim < row.length; dim++) {
        row[dim] += what[dim];
      }
    }

    private static void store(HeadTensor tensor, int head, int token, float[] row) {
      HeadMatrix rows = tensor.head(head);
      tensor.type().store(row, 0, rows.memory(), rows.rowOffset(token), row.length);
    }

    private static <T> List<T> each(int count, IntFunction<T> make) {
      return IntStream.range(0, count).mapToObj(make).toList();
    }
  }

  /** Turns the rotary pairs of rows to the angles of one position. */
  private static final class Rotation {
    private final double[] frequencies;
    private final float[] cos;
    private final float[] sin;

    Rotation(int headDim) {
      int pairs = StructuredHead.rotaryPairs(headDim);
      frequencies =
          IntStream.range(0, pairs)
              .mapToDouble(pair -> StructuredHead.frequency(pair, headDim))
              .toArray();
      cos = new float[pairs];
      sin = new float[pairs];
    }

    void turnTo(int position) {
      for (int pair = 0; pair < frequencies.length; pair++) {
        cos[pair] = (float) Math.cos(position * frequencies[pair]);
        sin[pair] = (float) Math.sin(position * frequencies[pair]);
      }
    }

    /** Writes {@code row}, turned, to {@code target}. */
    void turn(float[] row, float[] target) {
      System.arraycopy(row, 0, target, 0, row.length);
      for (int pair = 0; pair < cos.length; pair++) {
        float real = row[2 * pair];
        float imaginary = row[2 * pair + 1];
        target[2 * pair] = real * cos[pair] - imaginary * sin[pair];
        target[2 * pair + 1] = real * sin[pair] + imaginary * cos[pair];
      }
    }
  }
}
