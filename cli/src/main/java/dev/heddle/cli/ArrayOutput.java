package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.SafetensorsWriter;
import dev.heddle.llm.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An array file that is written when its numbers are known.
 *
 * @param file where it is written
 * @param safetensors whether it is a {@code .safetensors} file, else {@code .npy}
 * @param form what is written
 */
record ArrayOutput(StagedFile file, boolean safetensors, Form form) {
  /** Bytes that are written at once; a buffer cannot hold more than 2 GiB. */
  private static final long PIECE_BYTES = 64L << 20;

  /**
   * What is written: numbers in C order.
   *
   * @param tensor its name in a {@code .safetensors} file
   */
  record Form(String tensor, ElementType type, List<Long> shape) {
    long bytes() {
      return shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    }
  }

  /**
   * Opens a file before its numbers are computed.
   *
   * @throws InvalidInputException if its ending cannot hold them, or it cannot be written there
   */
  static ArrayOutput open(StagedFiles files, Path target, Form form) {
    boolean safetensors = target.toString().endsWith(ArrayReader.SAFETENSORS);
    if (!safetensors && !target.toString().endsWith(ArrayReader.NPY)) {
      throw ArrayReader.unknownEnding(target);
    }
    if (!safetensors && form.type() == ElementType.BFLOAT16) {
      throw new InvalidInputException(
          target + ": .npy has no bfloat16, the element type of Q; write a .safetensors file");
    }
    return new ArrayOutput(files.open(target, form.bytes()), safetensors, form);
  }

  /** Writes the numbers. */
  void write(MemorySegment numbers) throws IOException {
    FileChannel channel = file.channel();
    if (safetensors) {
      SafetensorsWriter.Tensor tensor =
          new SafetensorsWriter.Tensor(
              form.tensor(), TensorType.of(form.type()), form.shape(), numbers);
      SafetensorsWriter.write(channel, List.of(tensor), Map.of());
      return;
    }
    writeFully(channel, ByteBuffer.wrap(NpyFormat.encode(form.type(), form.shape())));
    for (long from = 0; from < numbers.byteSize(); from += PIECE_BYTES) {
      long bytes = Math.min(PIECE_BYTES, numbers.byteSize() - from);
      writeFully(channel, numbers.asSlice(from, bytes).asByteBuffer());
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
