package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.runtime.PatternRegistry.Entry;
import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiscoveryTest {
  @Test
  void findsTheModulesOfTheModulePath() {
    PatternRegistry registry = PatternRegistry.discover();

    assertThat(registry.refusals()).isEmpty();
    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly("a-shape", "block-sparse", "dense", "vertical-slash");
    assertThat(registry.entries())
        .filteredOn(entry -> entry.pattern().name().equals("a-shape"))
        .extracting(Entry::source)
        .singleElement()
        .asString()
        .matches("dev\\.heddle\\.pattern\\.ashape \\(/.*pattern-a-shape.*\\)");
  }

  @Test
  void aRealProviderThatThrowsIsRefusedWithItsModule(@TempDir Path folder) throws IOException {
    ModuleLayer layer = compilePlugin(folder);

    PatternRegistry registry =
        PatternRegistry.builder().from(ModuleLayerSource.ofPlugin("plugin", layer)).build();

    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly("dense", "good");
    assertThat(registry.refusals())
        .extracting(refusal -> refusal.source() + ": " + refusal.reason())
        .containsExactlyInAnyOrder(
            "plugin.one (" + folder.resolve("classes") + "): java.lang.IllegalStateException: no",
            "plugin.one ("
                + folder.resolve("classes")
                + "): java.lang.IllegalStateException: static no");
  }

  @Test
  void aLayerIsSearchedWithoutItsParents(@TempDir Path folder) throws IOException {
    ModuleLayer layer = compilePlugin(folder);

    PatternRegistry registry =
        PatternRegistry.builder()
            .discover()
            .from(ModuleLayerSource.ofPlugin("plugin", layer))
            .build();

    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly("a-shape", "block-sparse", "dense", "good", "vertical-slash");
  }

  /**
   * A module with one good provider, one that throws, and one whose class cannot be initialised.
   */
  private static ModuleLayer compilePlugin(Path folder) throws IOException {
    Path sources = Files.createDirectories(folder.resolve("sources/plugin"));
    write(
        sources.resolveSibling("module-info.java"),
        """
        module plugin.one {
          requires dev.heddle.api;
          provides dev.heddle.api.SparsePattern
              with plugin.Good, plugin.Throwing, plugin.Uninitialised;
        }
        """);
    write(sources.resolve("Good.java"), pattern("Good", ""));
    write(
        sources.resolve("Throwing.java"),
        pattern("Throwing", "public Throwing() { throw new IllegalStateException(\"no\"); }"));
    write(
        sources.resolve("Uninitialised.java"),
        pattern(
            "Uninitialised",
            "static { if (true) throw new IllegalStateException(\"static no\"); }"));
    return load(compile(folder));
  }

  private static void write(Path file, String text) throws IOException {
    Files.writeString(file, text);
  }

  private static String pattern(String className, String members) {
    return """
    package plugin;
    import dev.heddle.api.*;
    import java.util.List;
    public class %s implements SparsePattern {
      %s
      public String name() { return "good"; }
      public String description() { return "a test's own"; }
      public List<Option<?>> options() { return List.of(); }
      public BlockIndex index(HeadInputs head, Options options) {
        return BlockIndex.dense(head.shape(), head.blocks());
      }
    }
    """
        .formatted(className, members);
  }

  private static Path compile(Path folder) throws IOException {
    Path classes = folder.resolve("classes");
    try (Stream<Path> files = Files.walk(folder.resolve("sources"))) {
      List<String> sources = files.filter(Files::isRegularFile).map(Path::toString).toList();
      List<String> arguments =
          Stream.concat(
                  Stream.of("-p", System.getProperty("jdk.module.path"), "-d", classes.toString()),
                  sources.stream())
              .toList();
      ToolProvider compiler = ToolProvider.findFirst("javac").orElseThrow();
      int status = compiler.run(System.out, System.err, arguments.toArray(String[]::new));
      assertThat(status).isZero();
    }
    return classes;
  }

  private static ModuleLayer load(Path classes) {
    ModuleFinder finder = ModuleFinder.of(classes);
    Set<String> names =
        finder.findAll().stream()
            .map(module -> module.descriptor().name())
            .collect(Collectors.toSet());
    ModuleLayer parent = ModuleLayer.boot();
    Configuration configuration =
        parent.configuration().resolveAndBind(ModuleFinder.of(), finder, names);
    return parent.defineModulesWithOneLoader(configuration, DiscoveryTest.class.getClassLoader());
  }
}
