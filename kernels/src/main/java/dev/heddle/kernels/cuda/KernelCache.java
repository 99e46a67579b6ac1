package dev.heddle.kernels.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Compiled kernels in a folder of the user's, for the next process. Safe for use by several threads
 * and processes: files appear whole, are checked before they are used, and are made once where
 * several want them at a time. A folder that cannot be used only costs time: everything is compiled
 * then.
 *
 * <p>A file is {@code HEDDLEK2}, the CRC-32 of the code as 8 bytes, the key's length as 4 bytes,
 * the key, the code. What happens before code is there is kept cheap for a JVM that has just
 * started: no streams, regular expressions or formats, each of which takes it milliseconds.
 *
 * @param folder where the files are
 * @param mostBytes of all files together: beyond it, those that were not used for longest go
 */
record KernelCache(Path folder, long mostBytes) {
  /** Names a folder to use in place of the usual one. */
  static final String VARIABLE = "HEDDLE_CACHE";

  static final long MOST_BYTES = 256L << 20;

  private static final byte[] MAGIC = {'H', 'E', 'D', 'D', 'L', 'E', 'K', '2'};
  private static final int KEY_PLACE = MAGIC.length + Long.BYTES + Integer.BYTES;
  private static final String ENDING = ".kernel";
  private static final String PART = ".part";
  private static final String LOCK = "lock";

  /** Longer than any compilation takes; whoever holds the lock for longer is not waited for. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

  private static final Duration BETWEEN_TRIES = Duration.ofMillis(20);

  /**
   * The user's: {@code $HEDDLE_CACHE}, {@code $XDG_CACHE_HOME/heddle} or {@code ~/.cache/heddle}.
   */
  static KernelCache ofUser(Map<String, String> environment, Path home) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isEmpty()) {
      return new KernelCache(Path.of(named).resolve("kernels"), MOST_BYTES);
    }
    Path standard = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
    Path caches = standard.isAbsolute() ? standard : home.resolve(".cache");
    return new KernelCache(caches.resolve("heddle").resolve("kernels"), MOST_BYTES);
  }

  /**
   * The code that belongs to a key.
   *
   * @param name of the kernels, to find their files by
   * @param key what the code depends on
   * @param compile makes the code if it is not there, or not whole
   */
  byte[] get(String name, CacheKey key, Supplier<byte[]> compile) {
    if (problem().isPresent()) {
      return compile.get();
    }
    Path file = file(name, key);
    Optional<byte[]> kept = read(file, key);
    if (kept.isPresent()) {
      return kept.get();
    }
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        Held held = Held.await(channel, key.name() & Long.MAX_VALUE >> 1)) {
      Optional<byte[]> made = held.isOwn() ? read(file, key) : Optional.empty();
      return made.isPresent() ? made.get() : store(file, key, compile.get());
    } catch (IOException noLock) {
      return compile.get();
    }
  }

  /** Whether there is code of a key, whole or not. */
  boolean has(String name, CacheKey key) {
    return Files.isRegularFile(file(name, key)) && problem().isEmpty();
  }

  Path file(String name, CacheKey key) {
    return folder.resolve(safe(name) + "-" + HexFormat.of().toHexDigits(key.name()) + ENDING);
  }

  private static String safe(String name) {
    char[] letters = name.toCharArray();
    for (int i = 0; i < letters.length; i++) {
      char letter = letters[i];
      boolean isSafe =
          letter < 128 && (Character.isLetterOrDigit(letter) || "_.-".indexOf(letter) >= 0);
      letters[i] = isSafe ? letter : '_';
    }
    return new String(letters);
  }

  /** Makes the folder if it is not there; why it cannot be used, if it cannot. */
  Optional<String> problem() {
    try {
      if (!Files.isDirectory(folder)) {
        Files.createDirectories(
            folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      Set<PosixFilePermission> others =
          EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
      others.retainAll(Files.getPosixFilePermissions(folder));
      if (!others.isEmpty()) {
        return Optional.of("other users may write to it");
      }
      return Files.isWritable(folder) ? Optional.empty() : Optional.of("it cannot be written to");
    } catch (IOException | UnsupportedOperationException failure) {
      return Optional.of("it cannot be made: " + failure.getMessage());
    }
  }

  /** For {@code heddle info}. */
  String describe() {
    Optional<String> problem = problem();
    if (problem.isPresent()) {
      return folder + " is not used: " + problem.get();
    }
    long bytes = entries().stream().mapToLong(Entry::bytes).sum();
    return "%s (%d KiB)".formatted(folder, Math.ceilDiv(bytes, 1024));
  }

  private static Optional<byte[]> read(Path file, CacheKey key) {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (IOException notThere) {
      return Optional.empty();
    }
    if (!isWhole(content, key)) {
      return Optional.empty(); // it is made anew and takes the damaged one's place
    }
    try {
      Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
    } catch (IOException notOurs) {
      // It may be thrown out earlier than it should.
    }
    return Optional.of(Arrays.copyOfRange(content, KEY_PLACE + key.length(), content.length));
  }

  private static boolean isWhole(byte[] content, CacheKey key) {
    int code = KEY_PLACE + key.length();
    if (content.length < code || !Arrays.equals(content, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return false;
    }
    ByteBuffer header = ByteBuffer.wrap(content, MAGIC.length, KEY_PLACE - MAGIC.length);
    return header.getLong() == checksum(content, code)
        && header.getInt() == key.length()
        && key.isAt(content, KEY_PLACE);
  }

  private static long checksum(byte[] content, int from) {
    CRC32 sum = new CRC32();
    sum.update(content, from, content.length - from);
    return sum.getValue();
  }

  /** Writes beside and moves into place. What cannot be kept is compiled again next time. */
  private byte[] store(Path file, CacheKey key, byte[] code) {
    Path part = file.resolveSibling(file.getFileName() + PART + ProcessHandle.current().pid());
    try {
      ByteBuffer content = ByteBuffer.allocate(KEY_PLACE + key.length() + code.length);
      content.put(MAGIC).putLong(checksum(code, 0)).putInt(key.length());
      key.writeTo(content);
      content.put(code);
      Files.write(part, content.array());
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      prune(file);
    } catch (IOException notKept) {
      deleteQuietly(part);
    }
    return code;
  }

  /** One file and what is known of it. */
  private record Entry(Path path, long bytes, FileTime used) {
    static Stream<Entry> of(Path path) {
      try {
        return Stream.of(new Entry(path, Files.size(path), Files.getLastModifiedTime(path)));
      } catch (IOException gone) {
        return Stream.empty();
      }
    }
  }

  private List<Entry> entries() {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> String.valueOf(file.getFileName()).contains(ENDING))
          .flatMap(Entry::of)
          .sorted(Comparator.comparing(Entry::used))
          .toList();
    } catch (IOException unreadable) {
      return List.of();
    }
  }

  private void prune(Path justMade) {
    List<Entry> entries = entries();
    long bytes = entries.stream().mapToLong(Entry::bytes).sum();
    for (Entry entry : entries) {
      if (bytes > mostBytes && !entry.path().equals(justMade)) {
        deleteQuietly(entry.path());
        bytes -= entry.bytes();
      }
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.delete(file);
    } catch (NoSuchFileException gone) {
      // Another process was quicker.
    } catch (IOException notDeleted) {
      // It stays, and counts, until it can be deleted.
    }
  }

  /** The right to compile for one key, a byte of the lock file; the system frees it with us. */
  private record Held(Optional<FileLock> lock) implements AutoCloseable {
    static Held await(FileChannel channel, long place) throws IOException {
      Instant end = Instant.now().plus(LONGEST_WAIT);
      while (Instant.now().isBefore(end)) {
        Optional<FileLock> lock = tryLock(channel, place);
        if (lock.isPresent()) {
          return new Held(lock);
        }
        try {
          Thread.sleep(BETWEEN_TRIES);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          return new Held(Optional.empty());
        }
      }
      return new Held(Optional.empty());
    }

    private static Optional<FileLock> tryLock(FileChannel channel, long place) throws IOException {
      try {
        return Optional.ofNullable(channel.tryLock(place, 1, false));
      } catch (OverlappingFileLockException anotherThread) {
        return Optional.empty();
      }
    }

    boolean isOwn() {
      return lock.isPresent();
    }

    @Override
    public void close() throws IOException {
      if (lock.isPresent()) {
        lock.get().release();
      }
    }
  }
}
