package dev.heddle.kernels.cuda;

import dev.heddle.kernels.Availability;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a library of CUDA may be. A variable of Heddle's own names the file or its folder, and then
 * nothing else is looked at. Otherwise, for CUDA 13 and then for 12: the toolkit that {@code
 * CUDA_HOME} or {@code CUDA_PATH} names, the toolkits in {@code /usr/local}, the newest first, and
 * the places that the system's loader knows.
 *
 * @param library which one
 * @param environment the environment's variables
 * @param toolkits the folder in which toolkits are installed, {@code /usr/local}
 */
record LibraryPlaces(Library library, Map<String, String> environment, Path toolkits) {
  /** What is looked for. */
  enum Library {
    NVRTC("NVRTC", "libnvrtc.so", "HEDDLE_NVRTC"),
    CUBLAS_LT("cuBLASLt", "libcublasLt.so", "HEDDLE_CUBLASLT");

    private final String title;
    private final String file;
    private final String variable;

    Library(String title, String file, String variable) {
      this.title = title;
      this.file = file;
      this.variable = variable;
    }

    /** Its file without the major version of CUDA. */
    String file() {
      return file;
    }

    /** The variable that names the library itself, or the folder that it lies in. */
    String variable() {
      return variable;
    }

    @Override
    public String toString() {
      return title;
    }
  }

  /** Major versions whose functions are known to be the same, the newest first. */
  static final List<Integer> MAJOR_VERSIONS = List.of(13, 12);

  private static final List<String> TOOLKIT_VARIABLES = List.of("CUDA_HOME", "CUDA_PATH");

  private static final Pattern VERSIONED = Pattern.compile("cuda-(\\d{1,3})\\.(\\d{1,3})");

  /** In a toolkit; in Python's nvidia/cuda_nvrtc and nvidia/cu13; a folder of libraries itself. */
  private static final List<String> FOLDERS =
      List.of("lib64", "targets/x86_64-linux/lib", "lib", "");

  /** Those of this process. */
  static LibraryPlaces ofProcess(Library library) {
    return new LibraryPlaces(library, System.getenv(), Path.of("/usr/local"));
  }

  /** Whether the user says where it is. */
  boolean isNamed() {
    return environment.containsKey(library.variable());
  }

  /** What the user says, for messages. */
  String named() {
    return library.variable() + "=" + environment.getOrDefault(library.variable(), "");
  }

  /**
   * Files to try, in order. One without a folder is for the system's loader to find.
   *
   * @param greatestMajor the newest CUDA that the driver takes machine code of
   */
  List<Path> candidates(int greatestMajor) {
    Set<Path> found = new LinkedHashSet<>();
    if (isNamed()) {
      Path named = Path.of(environment.getOrDefault(library.variable(), ""));
      if (Files.isRegularFile(named)) {
        return List.of(named);
      }
      MAJOR_VERSIONS.forEach(major -> addFrom(named, major, found));
      return List.copyOf(found);
    }
    for (int major : MAJOR_VERSIONS) {
      if (major <= greatestMajor) {
        roots().forEach(root -> addFrom(root, major, found));
        found.add(Path.of(fileName(major)));
      }
    }
    return List.copyOf(found);
  }

  private String fileName(int major) {
    return library.file() + "." + major;
  }

  /** Why no library was found, and what to do about it. */
  Availability.Refused refusal(int driverVersion) {
    if (isNamed()) {
      return new Availability.Refused(
          "there is no %s library where %s says".formatted(library, named()),
          "let it name %s.13 or .12, or the folder that has it".formatted(library.file()));
    }
    return new Availability.Refused(
        "no %s library was found that suits a driver for CUDA %s"
            .formatted(library, CudaGuards.cuda(driverVersion)),
        "install a CUDA toolkit (12.4 or later, not of a newer major version than the driver), or let %s name %s"
            .formatted(library.variable(), library.file()));
  }

  private List<Path> roots() {
    List<Path> roots = new ArrayList<>();
    for (String variable : TOOLKIT_VARIABLES) {
      String value = environment.getOrDefault(variable, "");
      if (!value.isEmpty()) {
        roots.add(Path.of(value));
      }
    }
    roots.add(toolkits.resolve("cuda"));
    try (DirectoryStream<Path> versions = Files.newDirectoryStream(toolkits, "cuda-*")) {
      List<Path> installed = new ArrayList<>();
      versions.forEach(installed::add);
      installed.sort(Comparator.comparingInt(LibraryPlaces::version).reversed());
      roots.addAll(installed);
    } catch (IOException none) {
      // No such folder, or not for this user to see: nothing to look at.
    }
    return roots;
  }

  /** "cuda-12.10" comes after "cuda-12.9". */
  private static int version(Path toolkit) {
    Matcher name = VERSIONED.matcher(String.valueOf(toolkit.getFileName()));
    return name.matches()
        ? 1000 * Integer.parseInt(name.group(1)) + Integer.parseInt(name.group(2))
        : 0;
  }

  private void addFrom(Path root, int major, Set<Path> found) {
    for (String folder : FOLDERS) {
      Path file = root.resolve(folder).resolve(fileName(major));
      if (Files.isRegularFile(file)) {
        found.add(file);
      }
    }
  }
}
