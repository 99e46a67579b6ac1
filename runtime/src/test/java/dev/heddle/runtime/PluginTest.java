package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plugins that work. */
class PluginTest {
  private static final String A_SHAPE_MODULE = "dev.heddle.pattern.ashape";

  @TempDir private Path folder;

  @Test
  void aJarWithADescriptorIsAPlugin() {
    Path jar = TestPlugin.ofPattern("plug.one", "plugged").jar(folder.resolve("one.jar"));

    assertThat(plugins().entries())
        .filteredOn(entry -> entry.pattern().name().equals("plugged"))
        .extracting(Entry::source)
        .containsExactly("plug.one (" + jar + ")");
  }

  @Test
  void aPlainJarIsAPlugin() {
    Path jar =
        TestPlugin.plain("plain.P")
            .source("plain/P", "package plain; " + named("plain"))
            .jar(folder.resolve("my-plain-1.2.jar"));

    Entry plain = only(plugins());

    assertThat(plain.pattern().name()).isEqualTo("plain");
    assertThat(plain.source()).isEqualTo("my.plain (" + jar + ")");
    assertThat(plain.pattern().getClass().getModule().getDescriptor().isAutomatic()).isTrue();
  }

  @Test
  void aFolderOfJarsIsOnePluginWithItsDependencies() {
    Path library =
        TestPlugin.module("plug.lib", "exports lib;")
            .source("lib/L", "package lib; public class L { public static String N = \"leaned\"; }")
            .jar(folder.resolve("leaning/lib.jar"));
    TestPlugin.module(
            "plug.leaning",
            "requires dev.heddle.api; requires plug.lib;"
                + " provides dev.heddle.api.SparsePattern with leaning.P;")
        .source(
            "leaning/P", "package leaning; " + TestPlugin.patternClass("", "return lib.L.N;", ""))
        .against(library)
        .jar(folder.resolve("leaning/pattern.jar"));

    assertThat(only(plugins()).pattern().name()).isEqualTo("leaned");
  }

  @Test
  void theApiIsAlwaysTheHosts() {
    TestPlugin.module("dev.heddle.api", "exports dev.heddle.api;")
        .source(
            "dev/heddle/api/SparsePattern",
            "package dev.heddle.api; public interface SparsePattern {}")
        .jar(folder.resolve("bundling/api.jar"));
    TestPlugin.ofPattern("plug.bundling", "bundling").jar(folder.resolve("bundling/pattern.jar"));

    SparsePattern pattern = only(plugins()).pattern();

    assertThat(pattern.getClass().getInterfaces()).containsExactly(SparsePattern.class);
  }

  @Test
  void pluginsDoNotSeeEachOther() {
    for (String name : List.of("first", "second")) { // one package in both, with one class
      TestPlugin.module(
              "plug." + name,
              "requires dev.heddle.api; provides dev.heddle.api.SparsePattern with shared.P;")
          .source("shared/P", "package shared; " + named(name))
          .jar(folder.resolve(name + ".jar"));
    }

    PatternRegistry registry = plugins();

    assertThat(registry.refusals()).isEmpty();
    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly("dense", "first", "second");
  }

  @Test
  void aModuleOfTheModulePathAndOfTheFolderCountsOnce() {
    Path jar = copyOfAShape();

    PatternRegistry registry = PatternRegistry.builder().plugins(folder).discover().build();

    assertThat(registry.refusals()).isEmpty();
    Entry found = entry(registry, "a-shape");
    assertThat(found.source()).startsWith(A_SHAPE_MODULE + " (").doesNotContain(jar.toString());
    assertThat(found.alsoIn()).containsExactly(A_SHAPE_MODULE + " (" + jar + ")");
    assertThat(found.pattern().description()).isNotEqualTo("a copy");
    assertThat(entry(registry, "block-sparse").alsoIn()).isEmpty();
  }

  @Test
  void aPluginIsFoundWithoutDiscovery() {
    copyOfAShape();

    PatternRegistry registry = plugins();

    assertThat(registry.refusals()).isEmpty();
    assertThat(only(registry).pattern().name()).isEqualTo("a-shape");
  }

  @Test
  void aFolderThatIsNamedTwiceCountsOnce() {
    TestPlugin.ofPattern("plug.one", "plugged").jar(folder.resolve("one.jar"));

    PatternRegistry registry =
        PatternRegistry.builder().plugins(folder).plugins(folder.resolve(".")).build();

    assertThat(only(registry).pattern().name()).isEqualTo("plugged");
  }

  @Test
  void pluginsNeverChangeWhatAHeadsFileDoes(@TempDir Path elsewhere) throws IOException {
    HeadsConfig config = HeadsConfig.read(Resources.copy("every-option.json", elsewhere));
    List<String> before = describe(config, PatternRegistry.discover());
    for (String name : List.of("a-shape", "vertical-slash", "block-sparse", "dense", "added")) {
      String module = "plug." + name.replace('-', '.');
      TestPlugin.ofPattern(module, name).jar(folder.resolve(name + ".jar"));
    }
    copyOfAShape();

    PatternRegistry after = PatternRegistry.builder().discover().plugins(folder).build();

    assertThat(describe(config, after)).isEqualTo(before).hasSize(4);
    assertThat(after.get("added").description()).isEqualTo("added");
    assertThat(after.refusals()).hasSize(4);
  }

  @Test
  void aPatternAddedInCodeKeepsItsName() {
    Path jar = TestPlugin.ofPattern("plug.one", "mine").jar(folder.resolve("one.jar"));
    SparsePattern mine = FakePattern.named("mine");

    PatternRegistry registry = PatternRegistry.builder().plugins(folder).add(mine).build();

    assertThat(registry.get("mine")).isSameAs(mine);
    assertThat(registry.refusals())
        .containsExactly(
            new Refusal(
                "plug.one (" + jar + ")",
                "there is a pattern called \"mine\" already, which no plugin replaces: added in code"
                    + " (dev.heddle.runtime.FakePattern)"));
  }

  @Test
  void aFolderThatIsNotThereIsAnError() {
    Path missing = folder.resolve("missing");

    assertThatThrownBy(() -> PatternRegistry.builder().plugins(missing).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("plugins: there is no folder " + missing);
  }

  @Test
  void onTheClassPathPluginsAreRefused() throws IOException, InterruptedException {
    Path jar = TestPlugin.ofPattern("plug.one", "plugged").jar(folder.resolve("one.jar"));
    String classPath =
        System.getProperty("jdk.module.path")
            + File.pathSeparator
            + System.getProperty("java.class.path");
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                ClassPathProgram.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .start();

    assertThat(new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo(jar + ": Heddle is on the class path; plugins need it on the module path\n");
    assertThat(program.waitFor()).isZero();
  }

  /** A program that puts Heddle on its class path. */
  static final class ClassPathProgram {
    private ClassPathProgram() {}

    /** Prints what is refused of the folder that is the first argument. */
    public static void main(String[] arguments) {
      PatternRegistry.builder()
          .plugins(Path.of(arguments[0]))
          .build()
          .refusals()
          .forEach(refusal -> System.out.println(refusal.source() + ": " + refusal.reason()));
    }
  }

  private PatternRegistry plugins() {
    return PatternRegistry.builder().plugins(folder).build();
  }

  private Path copyOfAShape() {
    return TestPlugin.module(
            A_SHAPE_MODULE,
            "requires dev.heddle.api; provides dev.heddle.api.SparsePattern"
                + " with dev.heddle.pattern.ashape.AShapePattern;")
        .source(
            "dev/heddle/pattern/ashape/AShapePattern",
            "package dev.heddle.pattern.ashape; "
                + TestPlugin.patternClass("a copy", "return \"a-shape\";", "")
                    .replace("class P ", "class AShapePattern "))
        .jar(folder.resolve("a-shape-copy.jar"));
  }

  private static String named(String name) {
    return TestPlugin.patternClass(name, "return \"" + name + "\";", "");
  }

  private static Entry only(PatternRegistry registry) {
    assertThat(registry.refusals()).isEmpty();
    return registry.entries().stream()
        .filter(entry -> !entry.pattern().name().equals(PatternRegistry.DENSE))
        .reduce((one, other) -> {
          throw new AssertionError(one + " and " + other);
        })
        .orElseThrow();
  }

  private static Entry entry(PatternRegistry registry, String name) {
    return registry.entries().stream()
        .filter(entry -> entry.pattern().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** The class and options of each assignment. */
  private static List<String> describe(HeadsConfig config, PatternRegistry registry) {
    List<String> lines = new ArrayList<>();
    AttentionPlan.resolve(config, registry)
        .assignments()
        .forEach(assignment ->
            lines.add(assignment.pattern().getClass() + " " + assignment.options().toMap()));
    return lines;
  }
}
