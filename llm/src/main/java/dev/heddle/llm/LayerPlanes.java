package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.ModelShape;
import java.util.List;

/**
 * How keys and values of one layer lie behind each other: planes {@code [keyValueHead][capacity]}
 * of rows, each plane from a multiple of 256 bytes on.
 *
 * @param heads key/value heads
 * @param capacity tokens
 * @param rowBytes bytes of one head's row of a token, plane by plane
 */
record LayerPlanes(int heads, long capacity, List<Integer> rowBytes) {
  private static final int ALIGNMENT = 256;

  LayerPlanes {
    rowBytes = List.copyOf(rowBytes);
  }

  /** K and V in {@code type}. */
  static LayerPlanes plain(ModelShape shape, ElementType type, long capacity) {
    int row = shape.headDim() * type.bytes();
    return new LayerPlanes(shape.keyValueHeads(), capacity, List.of(row, row));
  }

  /** K and V in 8 bits, then the scales of both. */
  static LayerPlanes narrow(ModelShape shape, long capacity) {
    return new LayerPlanes(
        shape.keyValueHeads(),
        capacity,
        List.of(shape.headDim(), shape.headDim(), Float.BYTES, Float.BYTES));
  }

  /** Bytes of the layer. */
  long bytes() {
    return offset(rowBytes.size());
  }

  /** Where plane number {@code plane} begins. */
  long offset(int plane) {
    long offset = 0;
    for (int row : rowBytes.subList(0, plane)) {
      offset += Math.ceilDiv(heads * capacity * row, ALIGNMENT) * ALIGNMENT;
    }
    return offset;
  }
}
