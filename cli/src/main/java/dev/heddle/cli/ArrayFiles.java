package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads arrays {@code [head][token][dim]} from files, by the ending of their names. */
final class ArrayFiles {
  static final String NPY = ".npy";
  static final String SAFETENSORS = ".safetensors";

  private ArrayFiles() {}

  /**
   * Maps an array into memory, without reading it.
   *
   * @param place {@code file.npy}, {@code file.safetensors}, or {@code file.safetensors#name} for
   *     one tensor of several
   * @param arena frees the mapping
   * @throws InvalidInputException if there is no such array, or it is malformed
   */
  static HeadTensor map(String place, Arena arena) throws IOException {
    int mark = place.indexOf(SAFETENSORS + "#");
    int end = mark < 0 ? place.length() : mark + SAFETENSORS.length();
    Path file = Path.of(place.substring(0, end));
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(file + " is not a file");
    }
    if (file.toString().endsWith(NPY)) {
      return NpyFile.map(file, arena);
    }
    throw unknownEnding(file);
  }

  static InvalidInputException unknownEnding(Path file) {
    return new InvalidInputException(
        file + ": the ending says how an array is stored; allowed: " + NPY + ", " + SAFETENSORS);
  }
}
