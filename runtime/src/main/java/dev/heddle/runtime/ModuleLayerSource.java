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
import java.util.function.Predicate;

/** The providers of {@link SparsePattern} in a module layer and its parents. */
final class ModuleLayerSource implements PatternSource {
  /**
   * A loader whose iterator fails this often in a row makes no headway, and is left alone. Each
   * broken provider accounts for one failure.
   */
  private static final int FAILURES_IN_A_ROW = 100;

  private final String description;
  private final ServiceLoader<SparsePattern> loader;
  private final Predicate<Module> wanted;

  private ModuleLayerSource(
      String description, ServiceLoader<SparsePattern> loader, Predicate<Module> wanted) {
    this.description = description;
    this.loader = loader;
    this.wanted = wanted;
  }

  /**
   * The layer that Heddle itself is in, and its parents: the module path. On the class path, which
   * knows no {@code provides}, what {@code META-INF/services} names.
   */
  static ModuleLayerSource ofHost() {
    ModuleLayer layer = ModuleLayerSource.class.getModule().getLayer();
    if (layer != null) {
      return new ModuleLayerSource("module path", load(layer), module -> true);
    }
    ClassLoader classPath = ModuleLayerSource.class.getClassLoader();
    return new ModuleLayerSource(
        "class path", ServiceLoader.load(SparsePattern.class, classPath), module -> true);
  }

  /** The layer {@code layer} without its parents, called {@code description} in messages. */
  static ModuleLayerSource of(String description, ModuleLayer layer) {
    return new ModuleLayerSource(description, load(layer), module -> layer == module.getLayer());
  }

  private static ServiceLoader<SparsePattern> load(ModuleLayer layer) {
    return ServiceLoader.load(layer, SparsePattern.class);
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
        failures = 0;
        if (wanted.test(provider.type().getModule())) {
          candidates.add(Candidate.found(locate(provider.type()), provider));
        }
      } catch (ServiceConfigurationError broken) {
        failures++;
        candidates.add(Candidate.found(description, () -> rethrow(broken)));
      }
    }
    return candidates;
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
        .flatMap(resolved -> resolved.reference().location())
        .map(location -> module.getName() + " (" + readable(location) + ")")
        .orElse(module.getName());
  }

  private static String readable(URI location) {
    return "file".equals(location.getScheme()) ? Path.of(location).toString() : location.toString();
  }
}
