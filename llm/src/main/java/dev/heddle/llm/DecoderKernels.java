package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import java.util.Optional;

/** Launches the kernels of {@code decoder.cu}, whose structs the offsets here are those of. */
final class DecoderKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "decoder",
          () -> Optional.ofNullable(DecoderKernels.class.getResourceAsStream("decoder.fatbin")));

  private static final int THREADS = 256;
  private static final int PARAMETER_BYTES = 32;

  /** Kernels move so many numbers at once where rows are multiples of it. */
  private static final int GROUP = 8;

  private static final int RANDOM_BLOCKS = 4096;

  private final GpuStream stream;
  private final String type;

  /** The kernels for activations and weights of {@code type}, which has 16 bits. */
  DecoderKernels(GpuStream stream, ElementType type) {
    this.stream = stream;
    this.type = suffix(type);
  }

  /** The element type as kernel names spell it. */
  static String suffix(ElementType type) {
    return type == ElementType.FLOAT16 ? "f16" : "bf16";
  }

  /** {@code hidden[row] = table[tokens[row]]}. */
  void embed(long tokens, GpuMatrix table, GpuMatrix hidden) {
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES)
            .putLong(0, tokens)
            .putLong(8, table.address())
            .putLong(16, hidden.address())
            .putInt(24, hidden.columns());
    launch(by("heddle_embed", hidden.columns()), hidden.rows(), parameters);
  }

  /** {@code out[row] = norm(hidden[row])}, contiguous both. */
  void norm(GpuMatrix hidden, DeviceNorm norm, long out) {
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES)
            .putLong(0, hidden.address())
            .putLong(8, norm.weight())
            .putLong(16, out)
            .putInt(24, hidden.columns())
            .putFloat(28, norm.epsilon());
    launch(by("heddle_norm", hidden.columns()), hidden.rows(), parameters);
  }

  /**
   * Replaces the left half of each row by {@code silu(left) · right}.
   *
   * @param bias device address of a bias for the whole row; 0 for none
   */
  void gate(GpuMatrix gateUp, long bias) {
    int width = gateUp.columns() / 2;
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES)
            .putLong(0, gateUp.address())
            .putLong(8, bias)
            .putLong(16, gateUp.rows())
            .putInt(24, width);
    long threads = (long) gateUp.rows() * (width % GROUP == 0 ? width / GROUP : width);
    launch(by("heddle_gate", width), Math.ceilDiv(threads, THREADS), parameters);
  }

  /** Adds {@code bias} to every row of {@code hidden}; nothing if it is 0. */
  void addBias(GpuMatrix hidden, long bias) {
    if (bias != 0) {
      KernelParameters parameters =
          new KernelParameters(24)
              .putLong(0, hidden.address())
              .putLong(8, bias)
              .putInt(16, hidden.columns());
      launch("heddle_add_bias", hidden.rows(), parameters);
    }
  }

  /**
   * Cosines and sines of the positions from {@code first} on.
   *
   * @param frequencies device address of each pair's
   * @param angles receives one row for each position, as wide as two numbers for each pair
   */
  void angles(long frequencies, GpuMatrix angles, Place first) {
    int pairs = angles.columns() / 2;
    KernelParameters parameters =
        new KernelParameters(40)
            .putLong(0, frequencies)
            .putLong(8, angles.address())
            .putLong(16, angles.rows())
            .putLong(24, first.address())
            .putInt(32, first.token())
            .putInt(36, pairs);
    launch("heddle_angles", Math.ceilDiv((long) angles.rows() * pairs, THREADS), parameters);
  }

  /** Fills {@code matrix}, which is contiguous, with numbers between −limit and limit. */
  void randomise(GpuMatrix matrix, long seed, float limit) {
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES)
            .putLong(0, matrix.address())
            .putLong(8, (long) matrix.rows() * matrix.columns())
            .putLong(16, seed)
            .putFloat(24, limit);
    launch("heddle_random_" + type, RANDOM_BLOCKS, parameters);
  }

  private String by(String kernel, int width) {
    return kernel + "_" + type + (width % GROUP == 0 ? "" : "_single");
  }

  private void launch(String kernel, long blocks, KernelParameters parameters) {
    KernelGrid grid = KernelGrid.of(Math.toIntExact(blocks), 1, 1, THREADS);
    stream.launch(SOURCE, kernel, grid, parameters);
  }
}
