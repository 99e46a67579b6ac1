package dev.heddle.cli;

import java.lang.module.ModuleDescriptor;
import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the module descriptor. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {"heddle " + number()};
  }

  static String number() {
    ModuleDescriptor descriptor = Version.class.getModule().getDescriptor();
    return descriptor == null ? "(development)" : descriptor.rawVersion().orElse("(development)");
  }
}
