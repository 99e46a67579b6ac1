package dev.heddle.kernels.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where cuBLASLt may lie: where the loader looks, and where CUDA is installed.
 *
 * @param environment variables of this process
 * @param installations the folder that holds {@code cuda}, {@code cuda-13.0} and the like
 * @param newestMajor the newest major version of CUDA that the driver runs
 */
record CublasLtFiles(Map<String, String> environment, Path installations, int newestMajor) {
  /** Names the library's file, and nothing else is looked at. */
  static final String VARIABLE = "HEDDLE_CUBLASLT";

  private static final List<Integer> MAJORS = List.of(13, 12);
  private static final List<String> FOLDERS = List.of("lib64", "targets/x86_64-linux/lib", "lib");

  static CublasLtFiles ofMachine(int driverVersion) {
    return new CublasLtFiles(System.getenv(), Path.of("/usr/local"), driverVersion / 1000);
  }

  /** Names for the loader and paths of files that are there, the most preferred first. */
  List<String> candidates() {
    Optional<String> named = named();
    if (named.isPresent()) {
      return List.of(named.get());
    }
    List<String> candidates = new ArrayList<>();
    for (int major : MAJORS) {
      if (major <= newestMajor) {
        String name = "libcublasLt.so." + major;
        candidates.add(name);
        homes()
            .flatMap(home -> FOLDERS.stream().map(folder -> home.resolve(folder).resolve(name)))
            .filter(Files::isRegularFile)
            .map(Path::toString)
            .forEach(candidates::add);
      }
    }
    return candidates;
  }

  /** What was looked at, for a message. */
  String describe() {
    return named()
        .map(path -> path + ", which " + VARIABLE + " names")
        .orElse(
            "the loader's path, CUDA_HOME, CUDA_PATH and %s/cuda*, for versions %s"
                .formatted(
                    installations, MAJORS.stream().filter(major -> major <= newestMajor).toList()));
  }

  private Optional<String> named() {
    return variable(VARIABLE);
  }

  private Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isEmpty());
  }

  private Stream<Path> homes() {
    Stream<Path> named =
        Stream.of("CUDA_HOME", "CUDA_PATH").flatMap(name -> variable(name).stream()).map(Path::of);
    return Stream.concat(named, installed().stream());
  }

  private List<Path> installed() {
    try (Stream<Path> entries = Files.list(installations)) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith("cuda"))
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    } catch (IOException unreadable) { // nothing is installed there
      return List.of();
    }
  }
}
