package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads arrays {@code [head][token][dim]} from {@code .npy} files. */
final class NpyFile {
  private NpyFile() {}

  /**
   * Maps the array of {@code file} into memory, without reading it.
   *
   * @param arena frees the mapping
   * @throws InvalidInputException if the file is malformed, truncated, or not of three axes
   */
  static HeadTensor map(Path file, Arena arena) throws IOException {
    String name = file.toString();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      NpyHeader header = NpyFormat.read(channel, name);
      HeadAxes axes = HeadAxes.of(name, header.shape());
      long dataBytes = axes.bytes(name, header.type());
      long present = channel.size() - header.dataOffset();
      if (present != dataBytes) {
        throw new InvalidInputException(
            "%s: %s of %s need %d bytes after the header, but there are %d"
                .formatted(name, axes, header.type(), dataBytes, present));
      }
      MemorySegment memory = channel.map(MapMode.READ_ONLY, header.dataOffset(), dataBytes, arena);
      return HeadTensor.contiguous(
          memory, header.type(), axes.heads(), axes.tokens(), axes.headDim());
    }
  }
}
