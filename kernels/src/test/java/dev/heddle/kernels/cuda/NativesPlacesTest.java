package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.kernels.Backends;
import java.io.File;
import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** JCuda's natives are found wherever Heddle's jars lie. */
class NativesPlacesTest {
  private static final Path CLASSES =
      Path.of(System.getProperty("basedir", ".")).resolve("target/classes");

  @Test
  void inTheModulePathsOfAChildLayer() throws ReflectiveOperationException {
    ModuleFinder finder = ModuleFinder.of(all().toArray(Path[]::new));
    Configuration configuration =
        ModuleLayer.boot()
            .configuration()
            .resolve(finder, ModuleFinder.of(), Set.of("dev.heddle.kernels", "jcuda.natives"));
    // Its parent is the platform's loader: nothing comes from the tests' own path.
    ModuleLayer layer =
        ModuleLayer.defineModulesWithOneLoader(
                configuration, List.of(ModuleLayer.boot()), ClassLoader.getPlatformClassLoader())
            .layer();
    assertFound(layer.findLoader("dev.heddle.kernels"));
  }

  @Test
  void onTheClassPathOfALoader() throws IOException, ReflectiveOperationException {
    try (URLClassLoader loader =
        new URLClassLoader(
            all().stream().map(NativesPlacesTest::url).toArray(URL[]::new),
            ClassLoader.getPlatformClassLoader())) {
      assertFound(loader);
    }
  }

  @Test
  void butNotWhereTheyAreNot() throws IOException, ReflectiveOperationException {
    List<Path> without =
        all().stream().filter(path -> !path.toString().contains("jcuda-natives")).toList();
    try (URLClassLoader loader =
        new URLClassLoader(
            without.stream().map(NativesPlacesTest::url).toArray(URL[]::new),
            ClassLoader.getPlatformClassLoader())) {
      assertThat(cuda(loader)).contains("JCuda's natives for").contains("put jcuda-natives-");
    }
  }

  /** Where natives are missing nothing else is asked: any other answer has found them. */
  private static void assertFound(ClassLoader loader) throws ReflectiveOperationException {
    assertThat(cuda(loader)).doesNotContain("JCuda's natives");
  }

  /** What the CUDA backend of another copy of Heddle says of this machine. */
  private static String cuda(ClassLoader loader) throws ReflectiveOperationException {
    Class<?> backends = loader.loadClass(Backends.class.getName());
    assertThat(backends).isNotSameAs(Backends.class);
    Object standard = backends.getMethod("standard").invoke(null);
    List<?> providers = (List<?>) backends.getMethod("providers").invoke(standard);
    Object cuda = providers.getFirst();
    return loader
        .loadClass("dev.heddle.kernels.BackendProvider")
        .getMethod("availability")
        .invoke(cuda)
        .toString();
  }

  private static List<Path> all() {
    List<Path> paths = new ArrayList<>(List.of(CLASSES));
    for (String property : List.of("jdk.module.path", "java.class.path")) {
      Stream.of(
              Optional.ofNullable(System.getProperty(property))
                  .orElse("")
                  .split(File.pathSeparator))
          .map(Path::of)
          .filter(path -> Files.isRegularFile(path) || path.endsWith("classes"))
          .filter(path -> !path.equals(CLASSES) && isNeeded(path.toString()))
          .forEach(paths::add);
    }
    List<Path> distinct = paths.stream().map(Path::toAbsolutePath).distinct().toList();
    assumeTrue(
        distinct.stream()
            .map(Path::toString)
            .collect(Collectors.joining())
            .contains("jcuda-natives"),
        "the tests' own path has no natives");
    return distinct;
  }

  private static boolean isNeeded(String path) {
    return path.contains("jcuda")
        || path.contains("jspecify")
        || path.contains("heddle-api")
        || path.contains("api" + File.separator + "target" + File.separator + "classes");
  }

  private static URL url(Path path) {
    try {
      return path.toUri().toURL();
    } catch (MalformedURLException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
