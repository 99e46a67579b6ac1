package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuStream;
import dev.heddle.runtime.ModelShape;
import java.util.Optional;

/** Launches the kernels of {@code heads.cu}, whose structs the offsets here are those of. */
final class HeadKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "heads",
          () -> Optional.ofNullable(HeadKernels.class.getResourceAsStream("heads.fatbin")));

  private static final int THREADS = 256;
  private static final int LANES = 16;
  private static final int DECODE_THREADS = 128;
  private static final int TILE = 64;
  private static final int GROUP = 4;

  /** Thread blocks on each multiprocessor at once, about. */
  private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

  private static final int MOST_SPLITS = 256;
  private static final double LOG2_E = 1.4426950408889634;

  private final GpuStream stream;
  private final ModelShape shape;
  private final String type;

  HeadKernels(GpuStream stream, ModelShape shape, ElementType type) {
    this.stream = stream;
    this.shape = shape;
    this.type = DecoderKernels.suffix(type);
  }

  /** Where rows of the projection come from and go to; device addresses. */
  record Rows(long projected, long angles, long queries, int count) {}

  /** Finishes the rows of a projection to Q, K and V: K and V go to {@code cache}. */
  void split(Rows rows, DeviceLayer layer, DeviceKeyValueCache.Layer cache, int firstKey) {
    KernelParameters parameters =
        new KernelParameters(104)
            .putLong(0, rows.projected())
            .putLong(8, layer.queryKeyValueBias())
            .putLong(16, layer.queryNorm().weight())
            .putLong(24, layer.keyNorm().weight())
            .putLong(32, rows.angles())
            .putLong(40, rows.queries())
            .putLong(48, cache.keys())
            .putLong(56, cache.values())
            .putLong(64, cache.capacity())
            .putLong(72, firstKey)
            .putInt(80, rows.count())
            .putInt(84, shape.queryHeads())
            .putInt(88, shape.keyValueHeads())
            .putInt(92, shape.headDim())
            .putFloat(96, layer.queryNorm().epsilon());
    long heads = (long) rows.count() * (shape.queryHeads() + 2L * shape.keyValueHeads());
    int blocks = Math.toIntExact(Math.ceilDiv(heads, THREADS / LANES));
    stream.launch(SOURCE, "heddle_split_" + type, KernelGrid.of(blocks, 1, 1, THREADS), parameters);
  }

  /**
   * Attention of one query over the first {@code keyTokens} keys of {@code cache}.
   *
   * @param queries device address of {@code [queryHeads][headDim]}
   * @param scratch device address of {@link #scratchBytes} bytes
   * @param out device address that receives {@code [queryHeads][headDim]}
   */
  void decode(
      long queries, DeviceKeyValueCache.Layer cache, int keyTokens, long scratch, long out) {
    int parts = Math.ceilDiv(shape.queryHeads() / shape.keyValueHeads(), GROUP);
    int wanted =
        BLOCKS_PER_MULTIPROCESSOR * stream.multiprocessors() / (shape.keyValueHeads() * parts);
    int splits = Math.clamp(Math.ceilDiv(keyTokens, TILE), 1, Math.clamp(wanted, 1, MOST_SPLITS));
    KernelParameters parameters =
        new KernelParameters(80)
            .putLong(0, queries)
            .putLong(8, cache.keys())
            .putLong(16, cache.values())
            .putLong(24, scratch)
            .putLong(32, scratch + partialBytes(shape))
            .putLong(40, out)
            .putLong(48, cache.capacity())
            .putInt(56, keyTokens)
            .putInt(60, shape.queryHeads())
            .putInt(64, shape.keyValueHeads())
            .putInt(68, shape.headDim())
            .putInt(72, splits)
            .putFloat(76, (float) (LOG2_E / Math.sqrt(shape.headDim())));
    stream.launch(
        SOURCE,
        "heddle_decode_" + type,
        KernelGrid.of(splits, shape.keyValueHeads(), parts, DECODE_THREADS),
        parameters);
    stream.launch(
        SOURCE,
        "heddle_merge_" + type,
        KernelGrid.of(shape.queryHeads(), 1, 1, DECODE_THREADS),
        parameters);
  }

  /** Device memory that {@link #decode} uses. */
  static long scratchBytes(ModelShape shape) {
    long weights = (long) shape.queryHeads() * MOST_SPLITS * 2 * Float.BYTES;
    return partialBytes(shape) + weights;
  }

  private static long partialBytes(ModelShape shape) {
    return (long) shape.queryHeads() * MOST_SPLITS * shape.headDim() * Float.BYTES;
  }
}
