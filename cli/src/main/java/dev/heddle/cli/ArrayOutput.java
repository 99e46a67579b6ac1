package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** An array file that will be written when its numbers are known. */
final class ArrayOutput {
  /** Bytes that are written at once; a buffer cannot hold more than 2 GiB. */
  private static final long PIECE_BYTES = 64L << 20;

  private final StagedFile staged;
  private final byte[] header;

  /**
   * What will be written.
   *
   * @param tensor its name in a {@code .safetensors} file
   */
  record Form(String tensor, ElementType type, List<Long> shape) {}

  private ArrayOutput(StagedFile staged, byte[] header) {
    this.staged = staged;
    this.header = header;
  }

  /**
   * Opens a file for numbers in C order, before they are computed.
   *
   * @throws InvalidInputException if its ending cannot hold them, or it cannot be written there
   */
  static ArrayOutput open(StagedFiles files, Path file, Form form) {
    byte[] header = header(file, form);
    long numbers = form.shape().stream().reduce(1L, Math::multiplyExact);
    long bytes = header.length + numbers * form.type().bytes();
    return new ArrayOutput(files.open(file, bytes), header);
  }

  /** Writes the numbers. */
  void write(MemorySegment numbers) throws IOException {
    FileChannel channel = staged.channel();
    writeFully(channel, ByteBuffer.wrap(header));
    for (long from = 0; from < numbers.byteSize(); from += PIECE_BYTES) {
      long bytes = Math.min(PIECE_BYTES, numbers.byteSize() - from);
      writeFully(channel, numbers.asSlice(from, bytes).asByteBuffer());
    }
  }

  private static byte[] header(Path file, Form form) {
    String name = file.toString();
    if (!name.endsWith(ArrayFiles.NPY)) {
      throw ArrayFiles.unknownEnding(file);
    }
    if (form.type() == ElementType.BFLOAT16) {
      throw new InvalidInputException(
          file
              + ": .npy has no bfloat16, the element type of Q; write a .safetensors file instead");
    }
    return NpyFormat.encode(form.type(), form.shape());
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
