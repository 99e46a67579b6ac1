package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One tensor of an open {@link SafetensorsFile}: row-major, little-endian, read-only, valid until
 * the file is closed.
 *
 * @param file the file's name, for messages
 * @param name the tensor's name
 * @param type how each element is stored
 * @param shape sizes of the axes, outermost first; empty for a single number
 * @param memory the mapped elements; not necessarily aligned
 */
public record SafetensorsTensor(
    String file, String name, TensorType type, List<Long> shape, MemorySegment memory) {
  public SafetensorsTensor {
    shape = List.copyOf(shape);
  }

  /** Number of elements: the product of the shape. */
  public long elements() {
    return memory.byteSize() / type.bytes();
  }

  /**
   * The element type to compute with.
   *
   * @throws InvalidInputException if the tensor's type is none of F32, F16, BF16
   */
  public ElementType elementType() {
    return type.elementType()
        .orElseThrow(() ->
            new InvalidInputException(
                "%s: tensor %s has elements of type %s; allowed: %s"
                    .formatted(file, JsonPlace.quoted(name), type, TensorType.computableNames())));
  }
}
