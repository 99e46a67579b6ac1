package dev.heddle.kernels.cuda;

import java.io.File;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Says what the CUDA backend of a copy of Heddle says of this machine, which is loaded in one of
 * the ways in which a program can be put together. A process of its own, of which no loader knows
 * Heddle: {@code layer|classes PATH}.
 */
final class NativesPlacesMain {
  private NativesPlacesMain() {}

  public static void main(String[] arguments) throws Exception {
    List<Path> paths = new ArrayList<>();
    for (String path : arguments[1].split(File.pathSeparator, -1)) {
      paths.add(Path.of(path));
    }
    if (arguments[0].equals("layer")) {
      System.out.println(cuda(layer(paths).findLoader("dev.heddle.kernels")));
      return;
    }
    URL[] urls = new URL[paths.size()];
    for (int i = 0; i < urls.length; i++) {
      urls[i] = paths.get(i).toUri().toURL();
    }
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      System.out.println(cuda(loader));
    }
  }

  private static ModuleLayer layer(List<Path> paths) {
    Configuration configuration =
        ModuleLayer.boot()
            .configuration()
            .resolve(
                ModuleFinder.of(paths.toArray(Path[]::new)),
                ModuleFinder.of(),
                Set.of("dev.heddle.kernels", "jcuda.natives"));
    return ModuleLayer.defineModulesWithOneLoader(
            configuration, List.of(ModuleLayer.boot()), ClassLoader.getPlatformClassLoader())
        .layer();
  }

  private static String cuda(ClassLoader loader) throws ReflectiveOperationException {
    Class<?> backends = loader.loadClass("dev.heddle.kernels.Backends");
    Object standard = backends.getMethod("standard").invoke(null);
    List<?> providers = (List<?>) backends.getMethod("providers").invoke(standard);
    return String.valueOf(
        loader
            .loadClass("dev.heddle.kernels.BackendProvider")
            .getMethod("availability")
            .invoke(providers.getFirst()));
  }
}
