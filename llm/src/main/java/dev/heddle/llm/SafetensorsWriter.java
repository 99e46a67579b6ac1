package dev.heddle.llm;

import dev.heddle.api.HeddleException;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes safetensors files. */
public final class SafetensorsWriter {
  private static final int HEADER_ALIGNMENT = 8;
  private static final int COPY_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /**
   * A tensor to write.
   *
   * @param name its name, unique in the file
   * @param type how each element is stored
   * @param shape sizes of the axes, outermost first
   * @param memory the elements, row-major and contiguous; exactly as many bytes as the shape has;
   *     only read
   */
  public record Tensor(String name, TensorType type, List<Long> shape, MemorySegment memory) {
    /**
     * Checks that shape and memory agree.
     *
     * @throws InvalidInputException if they do not
     */
    public Tensor {
      shape = List.copyOf(shape);
      long bytes = type.bytes();
      for (long size : shape) {
        bytes = size < 0 ? -1 : Math.multiplyExact(bytes, size);
      }
      if (bytes != memory.byteSize()) {
        throw new InvalidInputException(
            "tensor %s: %s of %s is %d bytes, but its memory holds %d"
                .formatted(JsonPlace.quoted(name), shape, type, bytes, memory.byteSize()));
      }
    }
  }

  /**
   * Writes {@code tensors} to {@code file}. The file is written beside its target and moved into
   * place when it is whole; a failure leaves an older file as it was.
   *
   * @throws InvalidInputException if two tensors have one name or the folder cannot be written
   * @throws HeddleException if writing fails half-way, as on a full disk
   */
  public static void write(Path file, List<Tensor> tensors, Map<String, String> metadata) {
    requireUniqueNames(tensors);
    Path target = file.toAbsolutePath();
    Path staging = stagingFile(file, target);
    try {
      try (FileChannel channel = openStaging(file, staging)) {
        write(channel, tensors, metadata);
        channel.force(true);
      }
      Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failure) {
      throw new HeddleException(file + ": it could not be written whole: " + failure, failure);
    } finally {
      deleteQuietly(staging);
    }
  }

  /**
   * Writes a whole file to {@code channel}, for callers that stage their files themselves.
   *
   * @throws InvalidInputException if two tensors have one name
   */
  public static void write(
      WritableByteChannel channel, List<Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    requireUniqueNames(tensors);
    List<Tensor> ordered =
        tensors.stream() // the widest types first, which keeps every tensor aligned
            .sorted(Comparator.comparingInt((Tensor tensor) -> tensor.type().bytes()).reversed())
            .toList();
    byte[] header = header(ordered, metadata);
    ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    writeFully(channel, length.putLong(header.length).flip());
    writeFully(channel, ByteBuffer.wrap(header));
    for (Tensor tensor : ordered) {
      writeFully(channel, tensor.memory());
    }
  }

  private static void requireUniqueNames(List<Tensor> tensors) {
    Set<String> names = new HashSet<>();
    for (Tensor tensor : tensors) {
      if (tensor.name().equals("__metadata__") || !names.add(tensor.name())) {
        throw new InvalidInputException(
            "two tensors are called "
                + JsonPlace.quoted(tensor.name())
                + ", or the name is reserved");
      }
    }
  }

  private static byte[] header(List<Tensor> tensors, Map<String, String> metadata) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    if (!metadata.isEmpty()) {
      ObjectNode target = root.putObject("__metadata__");
      metadata.forEach(target::put);
    }
    long begin = 0;
    for (Tensor tensor : tensors) {
      ObjectNode target = root.putObject(tensor.name()).put("dtype", tensor.type().name());
      ArrayNode shape = target.putArray("shape");
      tensor.shape().forEach(shape::add);
      long end = begin + tensor.memory().byteSize();
      target.putArray("data_offsets").add(begin).add(end);
      begin = end;
    }
    byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
    byte[] padded =
        Arrays.copyOf(json, Math.ceilDiv(json.length, HEADER_ALIGNMENT) * HEADER_ALIGNMENT);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  /** Copies through a small heap buffer: a segment larger than 2 GiB is no {@code ByteBuffer}. */
  private static void writeFully(WritableByteChannel channel, MemorySegment memory)
      throws IOException {
    byte[] chunk = new byte[(int) Math.min(COPY_BYTES, memory.byteSize())];
    for (long offset = 0; offset < memory.byteSize(); offset += chunk.length) {
      int bytes = (int) Math.min(chunk.length, memory.byteSize() - offset);
      MemorySegment.copy(memory, offset, MemorySegment.ofArray(chunk), 0, bytes);
      writeFully(channel, ByteBuffer.wrap(chunk, 0, bytes));
    }
  }

  private static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static Path stagingFile(Path file, Path target) {
    Path folder = target.getParent();
    if (Files.isDirectory(target) || folder == null) {
      throw new InvalidInputException(file + ": it is a folder; allowed: the name of a file");
    }
    long process = ProcessHandle.current().pid();
    return folder.resolve("." + target.getFileName() + "." + process + ".part");
  }

  private static FileChannel openStaging(Path file, Path staging) {
    try {
      return FileChannel.open(
          staging,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);
    } catch (IOException failure) {
      throw new InvalidInputException(
          file + ": no file can be written in its folder: " + failure, failure);
    }
  }

  private static void deleteQuietly(Path staging) {
    try {
      Files.deleteIfExists(staging);
    } catch (IOException leftover) {
      // A stray temporary file must not hide the result or the first failure.
    }
  }
}
