package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.SafetensorsFile;
import dev.heddle.llm.SafetensorsTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads arrays {@code [head][token][dim]} from files, by the ending of their names. Arrays are
 * mapped, not copied; they live until the reader and its arena are closed.
 */
final class ArrayReader implements AutoCloseable {
  static final String NPY = ".npy";
  static final String SAFETENSORS = ".safetensors";

  private final Arena arena;
  private final List<SafetensorsFile> containers = new ArrayList<>();

  /** Makes a reader whose {@code .npy} files stay mapped until {@code arena} is closed. */
  ArrayReader(Arena arena) {
    this.arena = arena;
  }

  /**
   * Maps an array into memory.
   *
   * @param place {@code file.npy}, {@code file.safetensors}, or {@code file.safetensors#name} for
   *     one tensor of several
   * @throws InvalidInputException if there is no such array, or it is malformed
   */
  HeadTensor map(String place) throws IOException {
    int mark = place.indexOf(SAFETENSORS + "#");
    int end = mark < 0 ? place.length() : mark + SAFETENSORS.length();
    Path file = path(place.substring(0, end));
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new InvalidInputException(file + " is not a file");
    }
    if (file.toString().endsWith(NPY)) {
      return NpyFile.map(file, arena);
    }
    if (file.toString().endsWith(SAFETENSORS)) {
      return tensor(file, mark < 0 ? "" : place.substring(end + 1));
    }
    throw unknownEnding(file);
  }

  @Override
  public void close() {
    containers.forEach(SafetensorsFile::close);
  }

  static InvalidInputException unknownEnding(Path file) {
    return new InvalidInputException(
        file + ": the ending says how an array is stored; allowed: " + NPY + ", " + SAFETENSORS);
  }

  private static Path path(String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException invalid) {
      throw new InvalidInputException(name + " names no file: " + invalid.getReason(), invalid);
    }
  }

  /** The tensor called {@code name}, or the only one when that is empty. */
  private HeadTensor tensor(Path file, String name) {
    SafetensorsFile container = SafetensorsFile.open(file);
    containers.add(container);
    if (name.isEmpty() && container.tensorNames().size() != 1) {
      throw new InvalidInputException(
          "%s holds %d tensors; choose one with %s#NAME: %s"
              .formatted(
                  file,
                  container.tensorNames().size(),
                  file,
                  container.tensorNames().stream().sorted().limit(20).toList()));
    }
    SafetensorsTensor tensor =
        container.tensor(name.isEmpty() ? container.tensorNames().iterator().next() : name);
    HeadAxes axes = HeadAxes.of(file + "#" + tensor.name(), tensor.shape());
    return HeadTensor.contiguous(
        tensor.memory(), tensor.elementType(), axes.heads(), axes.tokens(), axes.headDim());
  }
}
