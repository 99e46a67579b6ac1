package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelSource;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** One process of {@link RuntimeCompilationTest}: loads kernels, and says how long that takes. */
public final class RuntimeCompilationMain {
  private static final String TEXT =
      "#include \"heddle/attention.cuh\"\nHEDDLE_ATTENTION_KERNELS(mine, heddle::RowKeys)\n";

  private RuntimeCompilationMain() {}

  public static void main(String[] arguments) {
    KernelSource source =
        KernelSource.ofText(
            "mine",
            name -> Optional.of(new ByteArrayInputStream(TEXT.getBytes(StandardCharsets.UTF_8))));
    JCudaNatives.load();
    try (Device device = Device.open(0)) {
      long nanos =
          device.call(lane -> {
            long start = System.nanoTime();
            device.module(source).function("heddle_mine_attend_bf16_128", 0);
            return System.nanoTime() - start;
          });
      System.out.printf(Locale.ROOT, "kernels loaded in %.3f ms%n", nanos / 1e6);
    }
  }
}
