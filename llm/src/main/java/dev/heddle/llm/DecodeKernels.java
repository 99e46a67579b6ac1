package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.DeviceKeyValueCache.Layer;
import dev.heddle.llm.DeviceKeyValueCache.NarrowLayer;
import dev.heddle.runtime.ModelShape;
import java.util.Optional;

/** Launches the kernels of {@code decode.cu}, whose structs the offsets here are those of. */
final class DecodeKernels {
  static final KernelSource SOURCE =
      new KernelSource(
          "decode",
          () -> Optional.ofNullable(DecodeKernels.class.getResourceAsStream("decode.fatbin")));

  private static final int DECODE_THREADS = 128;
  private static final int MERGE_THREADS = 256;
  private static final int CONVERT_THREADS = 256;
  private static final int LANES = 32;
  private static final int TILE = 64;
  private static final int GROUP = 8;
  private static final int MOST_SPLITS = 256;
  private static final int PARAMETER_BYTES = 104;
  private static final double LOG2_E = 1.4426950408889634;

  private final GpuStream stream;
  private final ModelShape shape;
  private final String type;

  DecodeKernels(GpuStream stream, ModelShape shape, ElementType type) {
    this.stream = stream;
    this.shape = shape;
    this.type = DecoderKernels.suffix(type);
  }

  /**
   * The query of one token.
   *
   * @param queries device address of {@code [queryHeads][headDim]}
   * @param position device address of its place in the text: it reads the keys up to that one
   * @param scratch device address of {@link #scratchBytes} bytes
   * @param out device address that receives {@code [queryHeads][headDim]}
   */
  record Query(long queries, long position, long scratch, long out) {}

  /** Attention of one query over the keys of {@code layer}. */
  void decode(Query query, Layer layer) {
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES).putLong(8, layer.keys()).putLong(16, layer.values());
    decode(query, parameters, layer.capacity(), "");
  }

  /** The same over keys and values in 8 bits. */
  void decode(Query query, NarrowLayer layer) {
    KernelParameters parameters =
        new KernelParameters(PARAMETER_BYTES)
            .putLong(8, layer.keys())
            .putLong(16, layer.values())
            .putLong(24, layer.keyScales())
            .putLong(32, layer.valueScales());
    decode(query, parameters, layer.capacity(), "_e4m3");
  }

  /** How many splits there are depends on the cache alone, so that launches can be replayed. */
  private void decode(Query query, KernelParameters parameters, int capacity, String storage) {
    int dims = Math.max(TILE, Integer.highestOneBit(2 * shape.headDim() - 1));
    int parts = Math.ceilDiv(shape.queryHeads() / shape.keyValueHeads(), GROUP);
    int wanted =
        blocksPerMultiprocessor(dims, storage)
            * stream.multiprocessors()
            / (shape.keyValueHeads() * parts);
    int splits = Math.clamp(Math.ceilDiv(capacity, TILE), 1, Math.clamp(wanted, 1, MOST_SPLITS));
    parameters
        .putLong(0, query.queries())
        .putLong(40, query.scratch())
        .putLong(48, query.scratch() + partialBytes(shape))
        .putLong(56, query.out())
        .putLong(64, query.position())
        .putLong(72, capacity)
        .putInt(80, shape.queryHeads())
        .putInt(84, shape.keyValueHeads())
        .putInt(88, shape.headDim())
        .putInt(92, splits)
        .putFloat(96, (float) (LOG2_E / Math.sqrt(shape.headDim())));
    stream.launch(
        SOURCE,
        "heddle_decode_" + type + storage + "_" + dims,
        KernelGrid.of(splits, shape.keyValueHeads(), parts, DECODE_THREADS),
        parameters);
    stream.launch(
        SOURCE,
        "heddle_merge_" + type,
        KernelGrid.of(shape.queryHeads(), 1, 1, MERGE_THREADS),
        parameters);
  }

  /** As the kernels' launch bounds have it. */
  private static int blocksPerMultiprocessor(int dims, String storage) {
    if (dims == 64) {
      return 4;
    }
    return dims == 128 && !storage.isEmpty() ? 3 : 2;
  }

  /** Puts {@code count} tokens of {@code from} into {@code to}, in 8 bits. */
  void narrow(Layer from, NarrowLayer to, Place first, int count) {
    KernelParameters parameters =
        new KernelParameters(96)
            .putLong(0, from.keys())
            .putLong(8, from.values())
            .putLong(16, to.keys())
            .putLong(24, to.values())
            .putLong(32, to.keyScales())
            .putLong(40, to.valueScales())
            .putLong(48, from.capacity())
            .putLong(56, to.capacity());
    convert("heddle_narrow_", parameters, first, count);
  }

  /** Puts {@code count} tokens of {@code from} into {@code to}, in 16 bits. */
  void widen(NarrowLayer from, Layer to, int count) {
    KernelParameters parameters =
        new KernelParameters(96)
            .putLong(0, from.keys())
            .putLong(8, from.values())
            .putLong(16, to.keys())
            .putLong(24, to.values())
            .putLong(32, from.keyScales())
            .putLong(40, from.valueScales())
            .putLong(48, from.capacity())
            .putLong(56, to.capacity());
    convert("heddle_widen_", parameters, Place.at(0), count);
  }

  private void convert(String kernel, KernelParameters parameters, Place first, int count) {
    parameters
        .putLong(64, first.token())
        .putLong(72, count)
        .putLong(80, first.address())
        .putInt(88, shape.keyValueHeads())
        .putInt(92, shape.headDim());
    long rows = (long) shape.keyValueHeads() * count;
    int blocks = Math.toIntExact(Math.ceilDiv(rows, CONVERT_THREADS / LANES));
    stream.launch(SOURCE, kernel + type, KernelGrid.of(blocks, 2, 1, CONVERT_THREADS), parameters);
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
