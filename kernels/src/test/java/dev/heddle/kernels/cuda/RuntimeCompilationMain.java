package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * One process of {@link RuntimeCompilationTest}: loads kernels, and says how long that takes. Those
 * of a text that takes all attention kernels, or with arguments those in a folder: the folder, the
 * name of the kernels, one of them, and the names of their headers.
 */
public final class RuntimeCompilationMain {
  private static final String TEXT =
      "#include \"heddle/attention.cuh\"\nHEDDLE_ATTENTION_KERNELS(mine, heddle::RowKeys)\n";

  private RuntimeCompilationMain() {}

  public static void main(String[] arguments) {
    KernelSource source = arguments.length == 0 ? ownText() : fromFolder(arguments);
    String kernel = arguments.length == 0 ? "heddle_mine_attend_bf16_128" : arguments[2];
    JCudaNatives.load();
    try (Device device = Device.open(0)) {
      long nanos =
          device.call(lane -> {
            long start = System.nanoTime();
            device.module(source).function(kernel, 0);
            return System.nanoTime() - start;
          });
      System.out.printf(Locale.ROOT, "kernels loaded in %.3f ms%n", nanos / 1e6);
    }
  }

  private static KernelSource ownText() {
    return KernelSource.ofText(
        "mine",
        name -> Optional.of(new ByteArrayInputStream(TEXT.getBytes(StandardCharsets.UTF_8))));
  }

  private static KernelSource fromFolder(String[] arguments) {
    Path folder = Path.of(arguments[0]);
    KernelSource source =
        KernelSource.ofText(arguments[1], name -> Optional.of(open(folder, name)));
    for (int i = 3; i < arguments.length; i++) {
      source = source.withHeader(arguments[i]);
    }
    return source;
  }

  private static InputStream open(Path folder, String name) {
    try {
      return Files.newInputStream(folder.resolve(name));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
