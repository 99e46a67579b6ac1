package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The jars of a plugin, read one by one, so that an error names the jar.
 *
 * @param files the jars
 * @param modules their modules by name; a jar without a descriptor is an automatic module
 */
record PluginJars(List<Path> files, SortedMap<String, ModuleReference> modules) {
  /**
   * Reads module descriptors; loads no class.
   *
   * @throws InvalidInputException if a jar cannot be read or two hold one module
   */
  static PluginJars read(List<Path> files) {
    if (files.isEmpty()) {
      throw new InvalidInputException("the folder holds no jar");
    }
    SortedMap<String, ModuleReference> modules = new TreeMap<>();
    SortedMap<String, Path> homes = new TreeMap<>();
    for (Path file : files) {
      for (ModuleReference module : modulesOf(file)) {
        String name = module.descriptor().name();
        Path other = homes.putIfAbsent(name, file);
        if (other != null) {
          throw new InvalidInputException(
              "both %s and %s hold the module %s"
                  .formatted(other.getFileName(), file.getFileName(), name));
        }
        modules.put(name, module);
      }
    }
    return new PluginJars(files, modules);
  }

  ModuleFinder finder() {
    return ModuleFinder.of(files.toArray(Path[]::new));
  }

  private static Set<ModuleReference> modulesOf(Path jar) {
    if (!Files.exists(jar)) {
      throw new InvalidInputException(jar.getFileName() + " is a link that leads nowhere");
    }
    try {
      return ModuleFinder.of(jar).findAll();
    } catch (RuntimeException unreadable) { // also what a damaged signature throws
      throw new InvalidInputException(
          jar.getFileName() + " is no usable jar: " + RefusalReason.of(unreadable), unreadable);
    }
  }
}
