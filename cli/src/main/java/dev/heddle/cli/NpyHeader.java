package dev.heddle.cli;

import dev.heddle.api.ElementType;
import java.util.List;

/**
 * What a {@code .npy} file says about its numbers.
 *
 * @param type the element type
 * @param shape the axes, slowest first (C order)
 * @param dataOffset bytes before the first number
 */
record NpyHeader(ElementType type, List<Long> shape, long dataOffset) {
  NpyHeader {
    shape = List.copyOf(shape);
  }
}
