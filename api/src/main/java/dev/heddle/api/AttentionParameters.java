package dev.heddle.api;

/**
 * The struct {@code AttentionParams} of the shared CUDA headers, with which the parameters of every
 * kernel begin that is built on them.
 */
public final class AttentionParameters {
  /** {@code sizeof(AttentionParams)}: where a kernel's own fields begin. */
  public static final int BYTES = 208;

  private static final int HOPPER = 200;

  private AttentionParameters() {}

  /**
   * Fills the struct.
   *
   * @param index the index to read, {@link GpuIndex#COMPUTED} where there is none yet
   * @param structBytes {@code sizeof} of the kernel's whole struct, at least {@link #BYTES}
   */
  public static KernelParameters pack(
      GpuCall call, GpuTables tables, GpuIndex index, int structBytes) {
    GpuLayer layer = call.layer();
    KernelParameters target = new KernelParameters(structBytes);
    putTensors(layer, target);
    target.putLong(112, tables.sequences()).putLong(120, tables.heads());
    target.putLong(128, tables.options());
    target.putLong(136, index.blockOffsets()).putLong(144, index.blockStarts());
    target.putLong(152, index.columnOffsets()).putLong(160, index.columns());
    target.putInt(168, layer.sequences().size()).putInt(172, call.heads().size());
    target.putInt(176, layer.mostQueryBlocks()).putInt(180, layer.groupSize());
    target.putInt(184, tables.optionCount()).putFloat(188, layer.softmaxScale());
    target.putInt(192, layer.queries().headDim()).putLong(HOPPER, tables.hopper());
    return target;
  }

  /** Whether the parameters suit attention kernels for compute capability 9.0. */
  static boolean suitHopper(KernelParameters parameters) {
    return parameters.getLong(HOPPER) != 0;
  }

  private static void putTensors(GpuLayer layer, KernelParameters target) {
    target.putLong(0, layer.queries().address()).putLong(8, layer.keys().address());
    target.putLong(16, layer.values().address()).putLong(24, layer.out().address());
    target.putLong(32, layer.logSumExp());
    putStrides(layer.queries(), target, 40);
    putStrides(layer.keys(), target, 56);
    putStrides(layer.values(), target, 72);
    putStrides(layer.out(), target, 88);
    target.putLong(104, layer.queries().tokens());
  }

  private static void putStrides(GpuTensor tensor, KernelParameters target, int offset) {
    target.putLong(offset, tensor.headStride()).putLong(offset + 8, tensor.tokenStride());
  }
}
