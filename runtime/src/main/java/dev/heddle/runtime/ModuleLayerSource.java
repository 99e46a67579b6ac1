package dev.heddle.runtime;

import dev.heddle.api.SparsePattern;
import java.net.URI;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** The providers of {@link SparsePattern} in a module layer and its parents. */
final class ModuleLayerSource implements PatternSource {
  /**
   * A loader whose iterator fails this often in a row makes no headway, and is left alone. Each
   * broken provider accounts for one failure.
   */
  private static final int FAILURES_IN_A_ROW = 100;

  private final String description;
  private final ServiceLoader<SparsePattern> loader;

  private ModuleLayerSource(String description, ServiceLoader<SparsePattern> loader) {
    this.description = description;
    this.loader = loader;
  }

  /** The layer that Heddle itself is in: the module path, or failing modules the class path. */
  static ModuleLayerSource ofHost() {
    ModuleLayer layer = ModuleLayerSource.class.getModule().getLayer();
    if (layer != null) {
      return of("module path", layer);
    }
    ClassLoader classPath = ModuleLayerSource.class.getClassLoader();
    return new ModuleLayerSource("class path", ServiceLoader.load(SparsePattern.class, classPath));
  }

  /** The layer {@code layer}, called {@code description} in messages. */
  static ModuleLayerSource of(String description, ModuleLayer layer) {
    return new ModuleLayerSource(description, ServiceLoader.load(layer, SparsePattern.class));
  }

  @Override
  public List<Candidate> candidates() {
    List<Candidate> candidates = new ArrayList<>();
    Iterator<ServiceLoader.Provider<SparsePattern>> providers = loader.stream().iterator();
    int failures = 0;
    while (failures < FAILURES_IN_A_ROW) {
      try {
        if (!providers.hasNext()) {
          return candidates;
        }
        ServiceLoader.Provider<SparsePattern> provider = providers.next();
        candidates.add(Candidate.found(locate(provider.type()), provider));
        failures = 0;
      } catch (ServiceConfigurationError broken) {
        failures++;
        candidates.add(
            Candidate.found(
                description,
                () -> {
                  throw broken;
                }));
      }
    }
    return candidates;
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
        .flatMap(resolved -> resolved.reference().location())
        .map(location -> module.getName() + " (" + readable(location) + ")")
        .orElse(module.getName());
  }

  private static String readable(URI location) {
    return "file".equals(location.getScheme()) ? Path.of(location).toString() : location.toString();
  }
}
