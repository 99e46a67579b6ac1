package dev.heddle.kernels.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/**
 * Loads JCuda's native half without flags from the user.
 *
 * <p>JCuda looks for its library as a resource of its own jar, which on the module path cannot see
 * the jar of the natives; and it takes any file of the right name that already lies in the temp
 * directory, whoever put it there. So the library is found here, put into a fresh directory that
 * only this user can enter, and JCuda is pointed to that directory for as long as it loads.
 */
final class JCudaNatives {
  private static final String NATIVES_MODULE = "jcuda.natives";
  private static final String DRIVER_CLASS = "jcuda.driver.JCudaDriver";
  private static final String TEMP_DIRECTORY = "java.io.tmpdir";

  private JCudaNatives() {}

  /** The name of the library for this operating system and processor. */
  static String fileName() {
    String library = "JCudaDriver-" + JCudaVersion.get();
    return LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName(library));
  }

  /** Whether the natives are there for this operating system and processor. */
  static boolean arePresent() {
    try (InputStream library = open().orElse(null)) {
      return library != null;
    } catch (IOException unreadable) {
      return false;
    }
  }

  /**
   * Loads the library into this process. Only the first call of a process does anything.
   *
   * @throws UnsatisfiedLinkError if the library or one that it needs is missing
   */
  static void load() {
    Loaded.requireLoaded();
  }

  /**
   * Opens the library: from its module, from a module of the same layer, or from the class path.
   */
  private static Optional<InputStream> open() throws IOException {
    String resource = "lib/" + fileName();
    ModuleLayer layer = JCudaNatives.class.getModule().getLayer();
    Optional<Module> natives = layer == null ? Optional.empty() : layer.findModule(NATIVES_MODULE);
    if (natives.isPresent()) {
      return Optional.ofNullable(natives.get().getResourceAsStream(resource));
    }
    return Optional.ofNullable(LibUtils.class.getClassLoader().getResourceAsStream(resource))
        .or(() -> Optional.ofNullable(ClassLoader.getSystemResourceAsStream(resource)));
  }

  private static void loadFromPrivateDirectory() throws IOException, ClassNotFoundException {
    Path directory =
        Files.createTempDirectory(
            "heddle-jcuda-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path file = directory.resolve(fileName());
    try (InputStream library =
        open().orElseThrow(() -> new UnsatisfiedLinkError("no " + fileName() + " was found"))) {
      Files.copy(library, file);
      initialiseDriverClass(directory);
    } finally {
      // The library stays mapped; its file is no longer needed.
      Files.deleteIfExists(file);
      Files.deleteIfExists(directory);
    }
  }

  private static void initialiseDriverClass(Path directory) throws ClassNotFoundException {
    String before = System.getProperty(TEMP_DIRECTORY);
    System.setProperty(TEMP_DIRECTORY, directory.toString());
    try {
      Class.forName(DRIVER_CLASS, true, LibUtils.class.getClassLoader());
    } finally {
      System.setProperty(TEMP_DIRECTORY, before);
    }
  }

  /** A library is loaded once per process; class initialisation makes that safe for threads. */
  private static final class Loaded {
    private static final Optional<String> FAILURE = tryLoad();

    static void requireLoaded() {
      FAILURE.ifPresent(message -> {
        throw new UnsatisfiedLinkError(message);
      });
    }

    private static Optional<String> tryLoad() {
      try {
        loadFromPrivateDirectory();
        return Optional.empty();
      } catch (IOException | ClassNotFoundException | LinkageError failure) {
        return Optional.of(rootMessage(failure));
      }
    }

    private static String rootMessage(Throwable failure) {
      Throwable root = failure;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      return String.valueOf(root.getMessage());
    }
  }
}
