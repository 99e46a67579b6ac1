package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternSource.Candidate;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.module.ResolvedModule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One plugin, in a module layer of its own above Heddle's. A module that Heddle has already, the
 * API above all, is Heddle's; the plugin's copy of it is not loaded.
 */
final class Plugin {
  private final Path place;
  private final PluginJars jars;
  private final ModuleLayer host;

  /**
   * Makes a plugin; loads nothing yet.
   *
   * @param place the jar or folder that is the plugin
   * @param host the layer of Heddle
   */
  Plugin(Path place, PluginJars jars, ModuleLayer host) {
    this.place = place;
    this.jars = jars;
    this.host = host;
  }

  /**
   * The patterns that it provides.
   *
   * @throws InvalidInputException if it cannot be used, with the reason
   * @throws RuntimeException if the module system refuses it
   */
  List<Candidate> candidates() {
    List<ModuleDescriptor> own = new ArrayList<>();
    List<Candidate> candidates = new ArrayList<>();
    for (ModuleReference module : jars.modules().values()) {
      Optional<ResolvedModule> twin = host.configuration().findModule(module.descriptor().name());
      if (twin.isEmpty()) {
        own.add(module.descriptor());
      } else {
        candidates.addAll(copies(module.descriptor(), twin.get().reference()));
      }
    }
    if (own.stream().anyMatch(module -> !ModuleLayerSource.providersOf(module).isEmpty())) {
      new PluginFit(own, host).require();
      candidates.addAll(ModuleLayerSource.ofPlugin(place.toString(), layer(own)).candidates());
    }
    if (candidates.isEmpty()) {
      throw new InvalidInputException(
          "it provides no pattern: no module descriptor and no file in META-INF/services names a "
              + SparsePattern.class.getName());
    }
    return candidates;
  }

  private ModuleLayer layer(List<ModuleDescriptor> own) {
    Set<String> names = own.stream().map(ModuleDescriptor::name).collect(Collectors.toSet());
    // The jars are asked after the host's modules: asked before, one that brings the API along
    // would define it twice, and its patterns would implement an interface that is not ours.
    Configuration configuration =
        host.configuration().resolveAndBind(ModuleFinder.of(), jars.finder(), names);
    return host.defineModulesWithOneLoader(configuration, ClassLoader.getPlatformClassLoader());
  }

  /** The patterns of a module that the host has too: the host's, with where the copy lies. */
  private List<Candidate> copies(ModuleDescriptor module, ModuleReference twin) {
    List<String> provided = ModuleLayerSource.providersOf(module);
    if (provided.isEmpty()) {
      return List.of();
    }
    if (!ModuleLayerSource.providersOf(twin.descriptor()).containsAll(provided)) {
      throw new InvalidInputException(
          "its module has the name of one that Heddle has and other patterns: "
              + ModuleLayerSource.locate(twin));
    }
    return ModuleLayerSource.ofHost(PatternSource.Standing.PLUGIN).candidates().stream()
        .filter(candidate -> candidate.provider().filter(type -> isIn(type, module)).isPresent())
        .map(candidate -> candidate.withCopy(module.name() + " (" + place + ")"))
        .toList();
  }

  private static boolean isIn(Class<?> type, ModuleDescriptor module) {
    return module.name().equals(type.getModule().getName());
  }
}
