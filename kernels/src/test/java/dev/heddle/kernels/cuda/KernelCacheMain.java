package dev.heddle.kernels.cuda;

import java.nio.file.Path;
import java.util.List;

/** One process of {@link KernelCacheTest}: wants what others want too. */
final class KernelCacheMain {
  private KernelCacheMain() {}

  public static void main(String[] arguments) {
    KernelCache cache = new KernelCache(Path.of(arguments[0]), KernelCache.MOST_BYTES);
    byte[] code =
        cache.get(
            "wanted",
            CacheKey.of(List.of("the same")),
            () -> {
              System.out.println("compiled");
              try {
                Thread.sleep(3000); // longer than the other processes take to start
              } catch (InterruptedException unexpected) {
                throw new IllegalStateException(unexpected);
              }
              return new byte[1_000_000];
            });
    System.out.println("code of " + code.length + " bytes");
  }
}
