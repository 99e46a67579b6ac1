package dev.heddle.api;

/**
 * Names and geometry of the attention kernels that are built on the shared CUDA headers: one {@code
 * extern "C"} kernel for each element type and greatest head dim, called {@code
 * <prefix>_<type>_<dim>}, such as {@code heddle_a_shape_attend_bf16_128}.
 */
public final class AttentionLaunch {
  /** The tile that the shared headers are written for. */
  public static final BlockShape BLOCKS = new BlockShape(128, 64);

  private static final int GREATEST_HEAD_DIM = 256;

  /** Higher bits of an entry of an index say who reads it. */
  private static final int MOST_KEYS = 1 << GpuIndex.UNREAD_BIT;

  /** Head dims are multiples of this: a thread moves 16 bytes at a time. */
  public static final int HEAD_DIM_STEP = 8;

  private AttentionLaunch() {}

  /**
   * Checks that kernels are compiled for the layer's sizes.
   *
   * @throws InvalidInputException naming what they are not compiled for
   */
  public static void requireSupported(GpuLayer layer) {
    int headDim = layer.queries().headDim();
    if (headDim > GREATEST_HEAD_DIM || headDim % HEAD_DIM_STEP != 0) {
      throw new InvalidInputException(
          "headDim is %d; the GPU kernels take %d to %d in steps of %d"
              .formatted(headDim, HEAD_DIM_STEP, GREATEST_HEAD_DIM, HEAD_DIM_STEP));
    }
    if (!layer.blocks().equals(BLOCKS)) {
      throw new InvalidInputException(
          "blocks are %d x %d; the GPU kernels take %d x %d"
              .formatted(
                  layer.blocks().queryRows(),
                  layer.blocks().keyColumns(),
                  BLOCKS.queryRows(),
                  BLOCKS.keyColumns()));
    }
    for (GpuSequence sequence : layer.sequences()) {
      if (sequence.keyTokens() > MOST_KEYS) {
        throw new InvalidInputException(
            "a sequence has %d keys; the GPU kernels take up to %d"
                .formatted(sequence.keyTokens(), MOST_KEYS));
      }
    }
    if (!(layer.softmaxScale() > 0) || !Float.isFinite(layer.softmaxScale())) {
      throw new InvalidInputException(
          "softmaxScale is %s; the GPU kernels take a finite number above 0"
              .formatted(layer.softmaxScale()));
    }
  }

  /**
   * Queues an attention kernel over all heads, sequences and query blocks of {@code call}: the one
   * for compute capability 9.0, called {@code <prefix>_hopper_<type>_<dim>}, where device and image
   * have it.
   *
   * @param prefix the kernel's name without element type and head dim
   * @param parameters a struct that begins as {@link AttentionParameters} fills it
   */
  public static void queue(
      GpuCall call,
      KernelSource source,
      String prefix,
      KernelParameters parameters,
      GpuQueue queue) {
    String hopper = kernel(prefix + "_hopper", call.layer());
    if (AttentionParameters.suitHopper(parameters) && queue.has(source, hopper)) {
      queue.launch(source, hopper, hopperGrid(call, queue.multiprocessors()), parameters);
    } else {
      queue.launch(source, kernel(prefix, call.layer()), grid(call), parameters);
    }
  }

  /** The kernel for the layer's element type and head dim. */
  public static String kernel(String prefix, GpuLayer layer) {
    return prefix + "_" + suffix(layer) + "_" + kernelHeadDim(layer);
  }

  /** The element type as kernel names spell it. */
  public static String suffix(GpuLayer layer) {
    return switch (layer.queries().type()) {
      case FLOAT32 -> "f32";
      case FLOAT16 -> "f16";
      case BFLOAT16 -> "bf16";
    };
  }

  /** The head dim that the kernel is compiled for: 64, 96, 128 or 256, at least the layer's. */
  public static int kernelHeadDim(GpuLayer layer) {
    int headDim = layer.queries().headDim();
    if (headDim <= 64) {
      return 64;
    }
    if (headDim <= 96) {
      return 96;
    }
    return headDim <= 128 ? 128 : GREATEST_HEAD_DIM;
  }

  /** The table of the shared headers: how many query rows, threads and bytes a thread block has. */
  static KernelGrid grid(GpuCall call) {
    GpuLayer layer = call.layer();
    int slots = call.heads().size();
    int rows = layer.mostQueryBlocks();
    int sequences = layer.sequences().size();
    int headDim = kernelHeadDim(layer);
    if (layer.queries().type() == ElementType.FLOAT32) {
      int sharedBytes =
          switch (headDim) {
            case 64 -> 52_736;
            case 96 -> 69_120;
            case 128 -> 85_504;
            default -> 151_040;
          };
      return new KernelGrid(slots, 2 * rows, sequences, 256, 1, sharedBytes);
    }
    int sharedBytes =
        switch (headDim) {
          case 64 -> 50_304;
          case 96 -> 74_880;
          case 128 -> 99_456;
          default -> 132_224;
        };
    int threads = headDim == GREATEST_HEAD_DIM ? 256 : 128;
    return new KernelGrid(slots, rows, sequences, threads, 1, sharedBytes);
  }

  /** The table of hopper_shape.cuh: a thread block stays on its multiprocessor for many tiles. */
  static KernelGrid hopperGrid(GpuCall call, int multiprocessors) {
    int sharedBytes =
        switch (kernelHeadDim(call.layer())) {
          case 64 -> 167_368;
          case 96, 128 -> 231_744;
          default -> 198_424;
        };
    int blocks = (int) Math.min(multiprocessors, call.indexRows());
    return new KernelGrid(blocks, 1, 1, 384, 1, sharedBytes);
  }
}
