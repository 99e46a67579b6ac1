package dev.heddle.runtime;

import dev.heddle.api.SparsePattern;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** The providers of {@link SparsePattern} in a module layer. */
final class ModuleLayerSource implements PatternSource {
  /**
   * A loader whose iterator fails this often in a row makes no headway, and is left alone. Each
   * broken provider accounts for one failure.
   */
  private static final int FAILURES_IN_A_ROW = 100;

  private final String description;
  private final ServiceLoader<SparsePattern> loader;
  private final Standing standing;
  private final int mostProviders;

  private ModuleLayerSource(
      String description,
      ServiceLoader<SparsePattern> loader,
      Standing standing,
      int mostProviders) {
    this.description = description;
    this.loader = loader;
    this.standing = standing;
    this.mostProviders = mostProviders;
  }

  /**
   * The layer that Heddle itself is in, and its parents: the module path. On the class path, which
   * knows no {@code provides}, what {@code META-INF/services} names.
   */
  static ModuleLayerSource ofHost() {
    return ofHost(Standing.HOST);
  }

  /** The same with another standing. */
  static ModuleLayerSource ofHost(Standing standing) {
    ModuleLayer layer = ModuleLayerSource.class.getModule().getLayer();
    if (layer != null) {
      return new ModuleLayerSource("module path", load(layer), standing, Integer.MAX_VALUE);
    }
    ClassLoader classPath = ModuleLayerSource.class.getClassLoader();
    return new ModuleLayerSource(
        "class path",
        ServiceLoader.load(SparsePattern.class, classPath),
        standing,
        Integer.MAX_VALUE);
  }

  /** The plugin in {@code layer}, without the layer's parents; messages call it by its place. */
  static ModuleLayerSource ofPlugin(String place, ModuleLayer layer) {
    int own =
        layer.modules().stream()
            .mapToInt(module -> providersOf(module.getDescriptor()).size())
            .sum();
    return new ModuleLayerSource(place, load(layer), Standing.PLUGIN, own);
  }

  /** The names of the classes that a module provides as patterns. */
  static List<String> providersOf(ModuleDescriptor module) {
    return module.provides().stream()
        .filter(provided -> provided.service().equals(SparsePattern.class.getName()))
        .flatMap(provided -> provided.providers().stream())
        .toList();
  }

  private static ServiceLoader<SparsePattern> load(ModuleLayer layer) {
    return ServiceLoader.load(layer, SparsePattern.class);
  }

  @Override
  public List<Candidate> candidates() {
    List<Candidate> candidates = new ArrayList<>();
    Iterator<ServiceLoader.Provider<SparsePattern>> providers = loader.stream().iterator();
    int failures = 0;
    // A layer's own providers come before those of its parents; each is found or fails, once.
    while (failures < FAILURES_IN_A_ROW && candidates.size() < mostProviders) {
      try {
        if (!providers.hasNext()) {
          return candidates;
        }
        candidates.add(candidate(providers.next()));
        failures = 0;
      } catch (ServiceConfigurationError broken) {
        failures++;
        candidates.add(Candidate.of(description, standing, () -> rethrow(broken)));
      }
    }
    return candidates;
  }

  private Candidate candidate(ServiceLoader.Provider<SparsePattern> provider) {
    Class<?> type = provider.type();
    if (type == SparsePattern.class) { // a provider method, which does not say whose it is
      return Candidate.of(description, standing, provider);
    }
    Candidate candidate = Candidate.of(locate(type), standing, provider);
    ModuleDescriptor module = type.getModule().getDescriptor();
    return module != null && providersOf(module).contains(type.getName())
        ? candidate.withProvider(type)
        : candidate;
  }

  private static SparsePattern rethrow(ServiceConfigurationError broken) {
    throw broken;
  }

  private static String locate(Class<?> provider) {
    Module module = provider.getModule();
    if (!module.isNamed()) {
      CodeSource code = provider.getProtectionDomain().getCodeSource();
      return code == null || code.getLocation() == null
          ? provider.getName()
          : provider.getName() + " (" + code.getLocation().getPath() + ")";
    }
    return Optional.ofNullable(module.getLayer())
        .flatMap(layer -> layer.configuration().findModule(module.getName()))
        .map(resolved -> locate(resolved.reference()))
        .orElse(module.getName());
  }

  /** A module's name and where it lies, as users see it. */
  static String locate(ModuleReference module) {
    String name = module.descriptor().name();
    return module.location().map(place -> name + " (" + readable(place) + ")").orElse(name);
  }

  private static String readable(URI location) {
    return "file".equals(location.getScheme()) ? Path.of(location).toString() : location.toString();
  }
}
