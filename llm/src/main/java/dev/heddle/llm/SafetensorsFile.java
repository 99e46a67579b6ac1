package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A safetensors file, mapped into memory: eight bytes that give the header's length, a JSON header,
 * and the tensors' bytes. Nothing of the header is believed before it has been checked.
 *
 * <p>Safe for use by several threads. {@link #close} unmaps the file; the memory of its tensors
 * cannot be read afterwards. A file must not be changed while it is open.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class SafetensorsFile implements AutoCloseable {
  private static final int LENGTH_BYTES = 8;

  /** Less than the 100 MB of the format's own library, whose headers would not fit a usual heap. */
  private static final long MOST_HEADER_BYTES = JsonFiles.MOST_BYTES;

  private final String name;
  private final Arena arena;
  private final Map<String, SafetensorsTensor> tensors;
  private final Map<String, String> metadata;

  private SafetensorsFile(String name, Arena arena, MemorySegment data, SafetensorsHeader header) {
    this.name = name;
    this.arena = arena;
    this.metadata = header.metadata();
    this.tensors =
        header.tensors().stream()
            .map(entry ->
                new SafetensorsTensor(
                    name,
                    entry.name(),
                    entry.type(),
                    entry.shape(),
                    data.asSlice(entry.begin(), entry.end() - entry.begin())))
            .collect(Collectors.toUnmodifiableMap(SafetensorsTensor::name, Function.identity()));
  }

  /**
   * Opens and checks {@code file}.
   *
   * @throws InvalidInputException if it cannot be read or breaks the format, naming the file, the
   *     tensor, the value and what is allowed
   */
  public static SafetensorsFile open(Path file) {
    String name = file.toString();
    Arena arena = OwnedArena.open();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      byte[] json = headerBytes(name, channel);
      long dataOffset = LENGTH_BYTES + (long) json.length;
      long dataBytes = channel.size() - dataOffset;
      SafetensorsHeader header = SafetensorsHeader.parse(name, json, dataBytes);
      MemorySegment data = channel.map(MapMode.READ_ONLY, dataOffset, dataBytes, arena);
      return new SafetensorsFile(name, arena, data, header);
    } catch (IOException failure) {
      arena.close();
      throw JsonFiles.unreadable(file, failure);
    } catch (RuntimeException invalid) {
      arena.close();
      throw invalid;
    }
  }

  /** The file's name, as it was given. */
  public String name() {
    return name;
  }

  /** The names of all tensors. */
  public Set<String> tensorNames() {
    return tensors.keySet();
  }

  /** The tensor called {@code tensorName}, if there is one. */
  public Optional<SafetensorsTensor> find(String tensorName) {
    return Optional.ofNullable(tensors.get(tensorName));
  }

  /**
   * The tensor called {@code tensorName}.
   *
   * @throws InvalidInputException if there is none, with the names that there are
   */
  public SafetensorsTensor tensor(String tensorName) {
    return find(tensorName)
        .orElseThrow(() ->
            new InvalidInputException(
                "%s: there is no tensor %s; allowed: %s"
                    .formatted(name, JsonPlace.quoted(tensorName), someNames())));
  }

  /** The free text that the writer of the file added. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Unmaps the file. */
  @Override
  public void close() {
    arena.close();
  }

  private static byte[] headerBytes(String name, FileChannel channel) throws IOException {
    long fileBytes = channel.size();
    if (fileBytes < LENGTH_BYTES) {
      throw new InvalidInputException(
          "%s: it has %d bytes; a safetensors file has at least %d"
              .formatted(name, fileBytes, LENGTH_BYTES));
    }
    long length = read(channel, 0, LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
    long most = Math.min(MOST_HEADER_BYTES, fileBytes - LENGTH_BYTES);
    if (length < 0 || length > most) {
      throw new InvalidInputException(
          "%s: header length: is %s; allowed: at most %d in a file of %d bytes"
              .formatted(name, Long.toUnsignedString(length), most, fileBytes));
    }
    return read(channel, LENGTH_BYTES, (int) length).array();
  }

  private static ByteBuffer read(FileChannel channel, long position, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
    return buffer.flip();
  }

  private String someNames() {
    List<String> sorted = tensors.keySet().stream().sorted().map(JsonPlace::quoted).toList();
    int shown = Math.min(sorted.size(), 20);
    String rest = sorted.size() > shown ? " and " + (sorted.size() - shown) + " more" : "";
    return sorted.isEmpty()
        ? "(the file is empty)"
        : String.join(", ", sorted.subList(0, shown)) + rest;
  }
}
