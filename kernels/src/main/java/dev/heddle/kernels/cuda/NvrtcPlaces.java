package dev.heddle.kernels.cuda;

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
 * Where the NVRTC library may be. {@code HEDDLE_NVRTC} names the file or its folder, and then
 * nothing else is looked at. Otherwise, for CUDA 13 and then for 12: the toolkit that {@code
 * CUDA_HOME} or {@code CUDA_PATH} names, the toolkits in {@code /usr/local}, the newest first, and
 * the places that the system's loader knows.
 *
 * @param environment the environment's variables
 * @param toolkits the folder in which toolkits are installed, {@code /usr/local}
 */
record NvrtcPlaces(Map<String, String> environment, Path toolkits) {
  /** Names the library itself, or the folder that it lies in. */
  static final String VARIABLE = "HEDDLE_NVRTC";

  /** Major versions whose functions are known to be the same, the newest first. */
  static final List<Integer> MAJOR_VERSIONS = List.of(13, 12);

  private static final List<String> TOOLKIT_VARIABLES = List.of("CUDA_HOME", "CUDA_PATH");

  private static final Pattern VERSIONED = Pattern.compile("cuda-(\\d{1,3})\\.(\\d{1,3})");

  /** In a toolkit; in Python's nvidia/cuda_nvrtc and nvidia/cu13; a folder of libraries itself. */
  private static final List<String> FOLDERS = List.of("lib64", "lib", "");

  /** Those of this process. */
  static NvrtcPlaces ofProcess() {
    return new NvrtcPlaces(System.getenv(), Path.of("/usr/local"));
  }

  /** Whether the user says where it is. */
  boolean isNamed() {
    return environment.containsKey(VARIABLE);
  }

  /** What the user says, for messages. */
  String named() {
    return VARIABLE + "=" + environment.getOrDefault(VARIABLE, "");
  }

  /**
   * Files to try, in order. One without a folder is for the system's loader to find.
   *
   * @param greatestMajor the newest CUDA that the driver takes machine code of
   */
  List<Path> candidates(int greatestMajor) {
    Set<Path> found = new LinkedHashSet<>();
    if (isNamed()) {
      Path named = Path.of(environment.getOrDefault(VARIABLE, ""));
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

  static String fileName(int major) {
    return "libnvrtc.so." + major;
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
      installed.sort(Comparator.comparingInt(NvrtcPlaces::version).reversed());
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

  private static void addFrom(Path root, int major, Set<Path> found) {
    for (String folder : FOLDERS) {
      Path file = root.resolve(folder).resolve(fileName(major));
      if (Files.isRegularFile(file)) {
        found.add(file);
      }
    }
  }
}
