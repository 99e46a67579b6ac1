package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.SparsePattern;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.util.List;
import java.util.Optional;

/** Whether a plugin's modules suit this program, as far as their descriptors tell. */
final class PluginFit {
  private final List<ModuleDescriptor> modules;
  private final ModuleLayer host;

  PluginFit(List<ModuleDescriptor> modules, ModuleLayer host) {
    this.modules = modules;
    this.host = host;
  }

  /**
   * Checks the version of the API that the modules were compiled against, and that what they
   * require is there.
   *
   * @throws InvalidInputException if they do not suit
   */
  void require() {
    for (ModuleDescriptor module : modules) {
      for (Requires required : module.requires()) {
        requireSameMajor(required);
        requirePresent(module, required);
      }
    }
  }

  private static void requireSameMajor(Requires required) {
    ModuleDescriptor api = SparsePattern.class.getModule().getDescriptor();
    if (!required.name().equals(api.name())) {
      return;
    }
    Optional<String> built = required.rawCompiledVersion();
    Optional<String> here = api.rawVersion();
    if (built.isPresent() && here.isPresent() && !major(built.get()).equals(major(here.get()))) {
      throw new InvalidInputException(
          "it was built for version %s of %s, and this is version %s; get a build of it for %s.x"
              .formatted(built.get(), api.name(), here.get(), major(here.get())));
    }
  }

  private static String major(String version) {
    return version.split("[.+-]", 2)[0];
  }

  private void requirePresent(ModuleDescriptor module, Requires required) {
    String name = required.name();
    if (required.modifiers().contains(Requires.Modifier.STATIC)
        || host.configuration().findModule(name).isPresent()
        || modules.stream().anyMatch(own -> own.name().equals(name))) {
      return;
    }
    String remedy =
        ModuleFinder.ofSystem().find(name).isPresent()
            ? "it belongs to the JDK; start with JDK_JAVA_OPTIONS=--add-modules=" + name
            : "put its jar and the plugin's into one folder, and that into the plugins' folder";
    throw new InvalidInputException(
        "its module %s requires the module %s, which is not there; %s"
            .formatted(module.name(), name, remedy));
  }
}
