package dev.heddle.kernels.cuda;

import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The struct {@code HopperTables} of the shared CUDA headers: tensor maps with which the copy
 * engine of compute capability 9.0 reads Q, K and V in boxes of 64 tokens and 64 dims, and the
 * counter from which thread blocks take their work.
 */
final class TensorMaps {
  /** {@code sizeof(HopperTables)}. */
  static final int BYTES = 448;

  /** Of {@code HopperTables}. */
  static final int ALIGNMENT = 64;

  private static final int MAP_BYTES = 128;
  private static final int BOX = 64;
  private static final int STRIDE_STEP = 16;

  // CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion
  private static final int FLOAT16 = 6;
  private static final int BFLOAT16 = 9;
  private static final int SWIZZLE_128_BYTES = 3;
  private static final int PROMOTE_128_BYTES = 2;

  /** The plain numbers of a tensor map. */
  record Form(
      int elementType, int rank, int interleave, int swizzle, int cachePromotion, int fill) {}

  /**
   * The arrays of a tensor map.
   *
   * @param dimensions int64, elements from the innermost dimension on
   * @param strides int64, bytes, of every dimension but the innermost
   * @param box int32, elements
   * @param steps int32, 1 to read every element
   */
  record Sizes(
      MemorySegment dimensions, MemorySegment strides, MemorySegment box, MemorySegment steps) {}

  private TensorMaps() {}

  /** Whether there are kernels that read the layer's elements by tensor map. */
  static boolean suit(GpuLayer layer) {
    return layer.queries().type() != ElementType.FLOAT32;
  }

  /** The struct. */
  static byte[] of(GpuLayer layer, DriverLibrary driver) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment struct = arena.allocate(BYTES, ALIGNMENT);
      List<GpuTensor> tensors = List.of(layer.queries(), layer.keys(), layer.values());
      for (int i = 0; i < tensors.size(); i++) {
        encode(tensors.get(i), driver, struct.asSlice((long) i * MAP_BYTES, MAP_BYTES), arena);
      }
      return struct.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void encode(
      GpuTensor tensor, DriverLibrary driver, MemorySegment target, Arena arena) {
    int elementType = tensor.type() == ElementType.FLOAT16 ? FLOAT16 : BFLOAT16;
    Form form = new Form(elementType, 3, 0, SWIZZLE_128_BYTES, PROMOTE_128_BYTES, 0);
    Sizes sizes =
        new Sizes(
            arena.allocateFrom(
                ValueLayout.JAVA_LONG, tensor.headDim(), tensor.tokens(), tensor.heads()),
            arena.allocateFrom(
                ValueLayout.JAVA_LONG,
                strideBytes(tensor.tokenStride(), tensor),
                strideBytes(tensor.headStride(), tensor)),
            arena.allocateFrom(ValueLayout.JAVA_INT, BOX, BOX, 1),
            arena.allocateFrom(ValueLayout.JAVA_INT, 1, 1, 1));
    Driver.check(
        driver.encodeTensorMap(target, form, tensor.address(), sizes), "making a tensor map");
  }

  /** A stride of 0, of a dimension of size 1, is not allowed. */
  private static long strideBytes(long elements, GpuTensor tensor) {
    return Math.max(STRIDE_STEP, elements * tensor.type().bytes());
  }
}
