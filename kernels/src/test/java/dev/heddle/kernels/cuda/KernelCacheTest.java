package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCacheTest {
  private static final CacheKey KEY = CacheKey.of(List.of("a text", "an option"));
  private static final byte[] CODE = "machine code".getBytes(StandardCharsets.UTF_8);

  @TempDir private Path folder;
  private KernelCache cache = new KernelCache(Path.of(""), 0);
  private final AtomicInteger compilations = new AtomicInteger();

  @BeforeEach
  void open() {
    cache = new KernelCache(folder.resolve("heddle/kernels"), KernelCache.MOST_BYTES);
  }

  @Test
  void isMadeOnce() {
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(compilations).hasValue(1);
    assertThat(cache.describe()).isEqualTo(cache.folder() + " (1 KiB)");
  }

  @Test
  void isOnlyTheUsers() throws IOException {
    get(cache);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache.folder())))
        .isEqualTo("rwx------");
  }

  @Test
  void anotherKeyIsAnotherFile() {
    get(cache);
    CacheKey other = CacheKey.of(List.of("a text", "another option"));
    assertThat(cache.get("my_kernels", other, this::compile)).isEqualTo(CODE);
    assertThat(compilations).hasValue(2);
    assertThat(CacheKey.of(List.of("ab", "c")).name())
        .isNotEqualTo(CacheKey.of(List.of("a", "bc")).name());
  }

  /** Magic, checksum, length of the key, key, code. */
  @ParameterizedTest
  @ValueSource(ints = {0, 8, 15, 16, 19, 20, 42, 43, 54})
  void isMadeAnewWhenAByteIsDamaged(int place) throws IOException {
    get(cache);
    Path file = cache.file("my_kernels", KEY);
    byte[] content = Files.readAllBytes(file);
    content[place] ^= 4;
    Files.write(file, content);
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(compilations).hasValue(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 7, 19, 20, 42, 43, 54})
  void isMadeAnewWhenItIsCutShort(int bytes) throws IOException {
    get(cache);
    Path file = cache.file("my_kernels", KEY);
    byte[] content = Files.readAllBytes(file);
    assertThat(content).hasSize(55);
    Files.write(file, Arrays.copyOf(content, bytes));
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(compilations).hasValue(2);
  }

  @Test
  void threadsThatWantTheSameMakeItOnce() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<byte[]> slow =
          () ->
              new KernelCache(cache.folder(), KernelCache.MOST_BYTES)
                  .get("my_kernels", KEY, this::compileSlowly);
      List<Future<byte[]>> all = threads.invokeAll(List.of(slow, slow, slow, slow));
      for (Future<byte[]> one : all) {
        assertThat(one.get()).isEqualTo(CODE);
      }
    }
    assertThat(compilations).hasValue(1);
  }

  @Test
  void processesThatWantTheSameMakeItOnce() throws Exception {
    List<String> command =
        List.of(
            "-cp",
            ChildJava.classPath(),
            KernelCacheMain.class.getName(),
            cache.folder().toString());
    List<String> said = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      Callable<String> child = () -> ChildJava.run(command);
      for (Future<String> one : threads.invokeAll(List.of(child, child, child))) {
        said.add(one.get());
      }
    }
    assertThat(said).allMatch(output -> output.contains("code of 1000000 bytes"));
    assertThat(said).filteredOn(output -> output.contains("compiled")).hasSize(1);
  }

  @Test
  void aFolderThatOthersMayWriteToIsNotUsed() throws IOException {
    Files.createDirectories(cache.folder());
    Files.setPosixFilePermissions(cache.folder(), PosixFilePermissions.fromString("rwxrwxrwx"));
    get(cache);
    get(cache);
    assertThat(compilations).hasValue(2);
    assertThat(cache.describe())
        .isEqualTo(cache.folder() + " is not used: other users may write to it");
  }

  @Test
  void aFolderThatCannotBeMadeIsNotUsed() throws IOException {
    Files.writeString(folder.resolve("heddle"), "a file is in the way");
    assertThat(get(cache)).isEqualTo(CODE);
    assertThat(cache.describe()).contains(" is not used: it cannot be made: ");
  }

  @Test
  void whatWasNotUsedForLongestGoesFirst() throws IOException {
    KernelCache small = new KernelCache(cache.folder(), 2 * 42);
    for (int i = 0; i < 3; i++) {
      CacheKey key = CacheKey.of(List.of("text " + i));
      small.get("my_kernels", key, this::compile);
      Files.setLastModifiedTime(
          small.file("my_kernels", key), FileTime.from(Instant.ofEpochSecond(1000 + i)));
    }
    try (Stream<Path> files = Files.list(small.folder())) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .contains(
              small.file("my_kernels", CacheKey.of(List.of("text 2"))).getFileName().toString())
          .doesNotContain(
              small.file("my_kernels", CacheKey.of(List.of("text 0"))).getFileName().toString())
          .noneMatch(name -> name.contains(".part"));
    }
  }

  @Test
  void liesWhereTheUserSays() {
    Path home = Path.of("/home/somebody");
    assertThat(KernelCache.ofUser(Map.of("HEDDLE_CACHE", "/fast"), home).folder())
        .isEqualTo(Path.of("/fast/kernels"));
    assertThat(KernelCache.ofUser(Map.of("XDG_CACHE_HOME", "/caches"), home).folder())
        .isEqualTo(Path.of("/caches/heddle/kernels"));
    assertThat(KernelCache.ofUser(Map.of("XDG_CACHE_HOME", "not/absolute"), home).folder())
        .isEqualTo(Path.of("/home/somebody/.cache/heddle/kernels"));
    assertThat(KernelCache.ofUser(Map.of(), home).folder())
        .isEqualTo(Path.of("/home/somebody/.cache/heddle/kernels"));
  }

  private byte[] get(KernelCache from) {
    return from.get("my_kernels", KEY, this::compile);
  }

  private byte[] compile() {
    compilations.incrementAndGet();
    return CODE.clone();
  }

  private byte[] compileSlowly() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException unexpected) {
      throw new IllegalStateException(unexpected);
    }
    return compile();
  }
}
