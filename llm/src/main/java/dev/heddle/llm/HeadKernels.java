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
  void split(Rows rows, DeviceLayer layer, DeviceKeyValueCache.Layer cache, Place place) {
    KernelParameters parameters =
        new KernelParameters(112)
            .putLong(0, rows.projected())
            .putLong(8, layer.queryKeyValueBias())
            .putLong(16, layer.queryNorm().weight())
            .putLong(24, layer.keyNorm().weight())
            .putLong(32, rows.angles())
            .putLong(40, rows.queries())
            .putLong(48, cache.keys())
            .putLong(56, cache.values())
            .putLong(64, cache.capacity())
            .putLong(72, place.token())
            .putLong(80, place.address())
            .putInt(88, rows.count())
            .putInt(92, shape.queryHeads())
            .putInt(96, shape.keyValueHeads())
            .putInt(100, shape.headDim())
            .putFloat(104, layer.queryNorm().epsilon());
    long heads = (long) rows.count() * (shape.queryHeads() + 2L * shape.keyValueHeads());
    int blocks = Math.toIntExact(Math.ceilDiv(heads, THREADS / LANES));
    stream.launch(SOURCE, "heddle_split_" + type, KernelGrid.of(blocks, 1, 1, THREADS), parameters);
  }
}
