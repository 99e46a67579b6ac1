package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * An output file that is written beside its target and moved into place when it is whole, so that a
 * failed run leaves the old file. Opening it proves that the folder can be written, before the work
 * is done whose result goes there.
 */
final class StagedFile implements AutoCloseable {
  private final Path target;
  private final Path staging;
  private final FileChannel channel;

  private StagedFile(Path target, Path staging, FileChannel channel) {
    this.target = target;
    this.staging = staging;
    this.channel = channel;
  }

  /**
   * Starts the file {@code target}.
   *
   * @param bytes about how many bytes will be written
   * @throws InvalidInputException if it cannot be written there
   */
  static StagedFile open(Path target, long bytes) {
    Path real = resolved(target);
    Path folder = real.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw unwritable(target, "the folder " + folder + " does not exist");
    }
    if (Files.exists(real) && !Files.isRegularFile(real)) {
      throw unwritable(target, "it exists and is not a file");
    }
    if (Files.exists(real) && !Files.isWritable(real)) {
      throw unwritable(target, "it exists and is write-protected");
    }
    Path staging = folder.resolve("." + real.getFileName() + "." + ProcessHandle.current().pid());
    try {
      requireSpace(target, folder, bytes);
      FileChannel channel =
          FileChannel.open(
              staging,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
      staging.toFile().deleteOnExit(); // an interrupted run leaves nothing behind
      return new StagedFile(real, staging, channel);
    } catch (IOException failed) {
      throw new InvalidInputException(
          target + " cannot be written: its folder refuses new files (" + failed + ")", failed);
    }
  }

  /** Where to write. */
  FileChannel channel() {
    return channel;
  }

  /** Writes more of the file. */
  void write(byte[] bytes) throws IOException {
    for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
      channel.write(rest);
    }
  }

  /** Writes more of the file, in UTF-8. */
  void write(String text) throws IOException {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Ends the file: it is whole. */
  void finish() throws IOException {
    channel.close();
  }

  /** Moves the file to its target. */
  void move() throws IOException {
    try {
      Files.move(
          staging, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException _) {
      Files.move(staging, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Removes what was written, unless it was moved. */
  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(staging);
  }

  /** The file behind a symbolic link, so that the link survives. */
  private static Path resolved(Path target) {
    try {
      return Files.exists(target) ? target.toRealPath() : target;
    } catch (IOException failed) {
      throw new InvalidInputException(target + " cannot be written: " + failed, failed);
    }
  }

  private static void requireSpace(Path target, Path folder, long bytes) throws IOException {
    FileStore store = Files.getFileStore(folder);
    long free = store.getUsableSpace();
    boolean known = store.getTotalSpace() > 0; // some network file systems do not say
    if (known && free < bytes) {
      throw unwritable(
          target, "it needs %d bytes, but only %d are free there".formatted(bytes, free));
    }
  }

  private static InvalidInputException unwritable(Path target, String reason) {
    return new InvalidInputException(target + " cannot be written: " + reason);
  }
}
