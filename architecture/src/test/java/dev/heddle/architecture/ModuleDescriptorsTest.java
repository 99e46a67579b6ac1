package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * What each module requires, exports and provides, compared with a golden file: a change of the
 * promise has to be made in two places, knowingly.
 */
class ModuleDescriptorsTest {
  static final List<String> FOLDERS = Repository.MODULE_FOLDERS;

  @ParameterizedTest
  @FieldSource("FOLDERS")
  void descriptorIsAsAgreed(String folder) throws IOException {
    String found = describe(Repository.path(folder, "target", "classes", "module-info.class"));
    Path golden =
        Repository.path("architecture", "src", "test", "resources", "golden", folder + ".txt");
    assertThat(found)
        .as("descriptor of %s; if the change is meant, make it in %s too", folder, golden)
        .isEqualTo(Files.exists(golden) ? Repository.read(golden) : "");
  }

  private static String describe(Path moduleInfo) throws IOException {
    try (InputStream in = Files.newInputStream(moduleInfo)) {
      ModuleDescriptor module = ModuleDescriptor.read(in);
      List<String> lines = new ArrayList<>();
      lines.addAll(
          sorted(
              "requires",
              module.requires().stream().map(ModuleDescriptorsTest::required).toList()));
      lines.addAll(sorted("exports", module.exports()));
      lines.addAll(sorted("opens", module.opens()));
      lines.addAll(sorted("uses", module.uses()));
      lines.addAll(sorted("provides", module.provides()));
      return lines.stream().collect(Collectors.joining("\n", module.name() + "\n", "\n"));
    }
  }

  /** Without the compiled version: a new patch release of a dependency is no new promise. */
  private static String required(ModuleDescriptor.Requires requires) {
    return requires.modifiers().stream()
            .map(m -> m.toString().toLowerCase(java.util.Locale.ROOT) + " ")
            .sorted()
            .collect(Collectors.joining())
        + requires.name();
  }

  private static List<String> sorted(String word, Collection<?> entries) {
    return entries.stream().map(entry -> "  " + word + " " + entry).sorted().toList();
  }
}
