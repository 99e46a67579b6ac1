package dev.heddle.kernels.cuda;

import dev.heddle.api.KernelSource;
import dev.heddle.api.KernelText;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.KernelCompilationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compiles CUDA text for one kind of device, or takes what an earlier process compiled. Looks for
 * the compiler when it is first needed. Safe for use by several threads.
 */
final class KernelCompiler {
  private static final int HOPPER = 90;

  /** Beside the architecture. */
  private static final List<String> OPTIONS = List.of("--std=c++17", "--no-source-include");

  private final NvrtcPlaces places;
  private final KernelCache cache;
  private final Target target;
  private final Map<KernelSource, Keyed> units = new ConcurrentHashMap<>();
  private Optional<Search> search = Optional.empty();

  /**
   * What is compiled for.
   *
   * @param computeCapability the device's, 10 · major + minor
   * @param driverVersion the newest CUDA that the driver knows, 1000 · major + 10 · minor
   */
  record Target(int computeCapability, int driverVersion) {}

  /** The outcome of looking for the compiler. */
  private record Search(Optional<Nvrtc> found) {}

  KernelCompiler(NvrtcPlaces places, KernelCache cache, Target target) {
    this.places = places;
    this.cache = cache;
    this.target = target;
  }

  /** With the environment of this process and the user's cache. */
  static KernelCompiler ofProcess(Target target) {
    KernelCache cache =
        KernelCache.ofUser(System.getenv(), Path.of(System.getProperty("user.home", "")));
    return new KernelCompiler(NvrtcPlaces.ofProcess(), cache, target);
  }

  /** Whether there is a compiler; which, or what to do about it. */
  Availability availability() {
    Optional<Nvrtc> found = nvrtc();
    if (found.isPresent()) {
      return new Available("NVRTC %s (%s)".formatted(found.get().version(), found.get().file()));
    }
    if (places.isNamed()) {
      return new Refused(
          "there is no NVRTC library where %s says".formatted(places.named()),
          "let it name libnvrtc.so.13 or .12, or the folder that has it");
    }
    return new Refused(
        "no NVRTC library was found that suits a driver for CUDA "
            + CudaGuards.cuda(target.driverVersion()),
        "install a CUDA toolkit (12.4 or later, not of a newer major version than the driver), or let "
            + NvrtcPlaces.VARIABLE
            + " name libnvrtc.so");
  }

  /** For {@code heddle info}. */
  List<String> describe() {
    String compiler =
        switch (availability()) {
          case Available(String detail) -> detail;
          case Refused(String reason, String remedy) -> "not here: " + reason + "; " + remedy;
        };
    return List.of(
        "compiling CUDA text of patterns: " + compiler, "compiled kernels: " + cache.describe());
  }

  /**
   * Whether {@code source}, which is text, can run: it was compiled before, or there is a compiler.
   */
  Availability availability(KernelSource source) {
    return cache.has(source.name(), unit(source).key())
        ? new Available("compiled before")
        : availability();
  }

  /**
   * The code of {@code source}, which is text.
   *
   * @throws KernelCompilationException if the text is wrong
   * @throws DeviceException if there is no compiler
   */
  byte[] compile(KernelSource source) {
    Keyed unit = unit(source);
    return cache.get(source.name(), unit.key(), () -> compileAnew(source.name(), unit));
  }

  /** A text with all that it includes, and the key of its code in the cache. */
  private record Keyed(KernelText text, Map<String, String> headers, CacheKey key) {}

  private Keyed unit(KernelSource source) {
    return units.computeIfAbsent(
        source,
        of -> {
          KernelText text = of.text().orElseThrow();
          Map<String, String> headers = SharedHeaders.of(text);
          return new Keyed(text, headers, key(text, headers));
        });
  }

  private byte[] compileAnew(String name, Keyed unit) {
    Nvrtc nvrtc =
        nvrtc()
            .orElseThrow(() -> {
              Refused refused = (Refused) availability();
              return new DeviceException(
                  "kernels '%s' cannot be compiled: %s; %s"
                      .formatted(name, refused.reason(), refused.remedy()));
            });
    Architecture architecture = architecture(nvrtc);
    List<String> options = new ArrayList<>(OPTIONS);
    options.add("--gpu-architecture=" + architecture.name());
    KernelText text = unit.text();
    return compile(
        nvrtc,
        new Nvrtc.Unit(text.fileName(), text.source(), unit.headers(), options),
        name,
        architecture);
  }

  private static byte[] compile(
      Nvrtc nvrtc, Nvrtc.Unit unit, String kernels, Architecture architecture) {
    Nvrtc.Compiled compiled = nvrtc.compile(unit, architecture.isPtx());
    return compiled
        .code()
        .orElseThrow(() ->
            new KernelCompilationException(
                kernels,
                "NVRTC %s for %s".formatted(nvrtc.version(), architecture.name()),
                compiled.log()));
  }

  /** Everything that the code depends on. */
  private CacheKey key(KernelText text, Map<String, String> headers) {
    List<String> parts = new ArrayList<>();
    parts.add(text.fileName());
    parts.add(text.source());
    for (Map.Entry<String, String> header : headers.entrySet()) {
      parts.add(header.getKey());
      parts.add(header.getValue());
    }
    parts.addAll(OPTIONS);
    parts.add(Integer.toString(target.computeCapability()));
    parts.add(Integer.toString(target.driverVersion()));
    parts.addAll(compilers());
    return CacheKey.of(parts);
  }

  /**
   * What tells one compiler from another. To load it takes longer than to read what it made
   * earlier, so its files have to do; where only the system's loader knows of one, its version.
   */
  private List<String> compilers() {
    List<String> files = new ArrayList<>();
    for (Path file : places.candidates(target.driverVersion() / 1000)) {
      if (file.getParent() != null) {
        identity(file).ifPresent(files::add);
      }
    }
    return files.isEmpty() ? nvrtc().map(Nvrtc::version).stream().toList() : files;
  }

  private static Optional<String> identity(Path file) {
    try {
      Path real = file.toRealPath();
      return Optional.of(
          real + " " + Files.size(real) + " " + Files.getLastModifiedTime(real).toMillis());
    } catch (IOException gone) {
      return Optional.empty();
    }
  }

  /**
   * What NVRTC is asked for.
   *
   * @param isPtx whether the driver has to compile on, because the device is newer than NVRTC
   */
  private record Architecture(String name, boolean isPtx) {}

  private Architecture architecture(Nvrtc nvrtc) {
    int device = target.computeCapability();
    List<Integer> known = nvrtc.computeCapabilities();
    if (device == HOPPER && known.contains(device)) {
      return new Architecture("sm_90a", false); // "a": with wgmma and setmaxnreg
    }
    if (known.contains(device)) {
      return new Architecture("sm_" + device, false);
    }
    int newest =
        known.stream()
            .filter(capability -> capability <= device)
            .max(Integer::compare)
            .orElse(CudaGuards.LEAST_COMPUTE_CAPABILITY);
    return new Architecture("compute_" + newest, true);
  }

  private synchronized Optional<Nvrtc> nvrtc() {
    if (search.isEmpty()) {
      search =
          Optional.of(
              new Search(
                  places.candidates(target.driverVersion() / 1000).stream()
                      .flatMap(file -> Nvrtc.load(file).stream())
                      .findFirst()));
    }
    return search.get().found();
  }
}
