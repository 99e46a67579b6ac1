package dev.heddle.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The archive, unpacked in a folder that is none of the build's. */
class DistributionTest {
  private static final String ARCHIVE = "heddle.archive";
  private static final String WITH_JDK = "heddle.archive.with.jdk";

  @TempDir private Path folder;

  @Test
  void holdsTheCommandItsModulesAndTheBundledFiles() throws IOException {
    Path home = Distribution.unpack(ARCHIVE, folder).home();
    assertThat(
            Stream.of(
                "bin/heddle",
                "lib/heddle-cli-" + Distribution.VERSION + ".jar",
                "lib/heddle-pattern-vertical-slash-" + Distribution.VERSION + ".jar",
                "models/byte-llama-5m/model.safetensors",
                "models/byte-llama-5m/heads.json",
                "texts/jargon-file.txt",
                "plugins/README.txt",
                "docs/writing-a-pattern.md",
                "README.md",
                "CHANGELOG.md",
                "LICENSE"))
        .allSatisfy(file -> assertThat(home.resolve(file)).isRegularFile());
    assertThat(home.resolve("jdk")).doesNotExist();
    assertThat(names(home.resolve("lib")))
        .as("the module path of a checkout's ./heddle")
        .isEqualTo(names(Path.of("../cli/target/heddle/lib")));
  }

  @Test
  void startsFromAnyFolder() throws Exception {
    Distribution heddle = Distribution.unpack(ARCHIVE, folder);
    for (Shell shell : new Shell[] {Shell.in(Path.of("/")), Shell.in(heddle.home())}) {
      assertThat(shell.run(heddle.command(), "--version").succeeded().out())
          .isEqualTo("heddle " + Distribution.VERSION + "\n");
    }
    Path bin = heddle.home().resolve("bin");
    assertThat(Shell.in(bin).run("./heddle", "--version").succeeded().out()).startsWith("heddle ");
  }

  /** One link to another, relative to a folder that the caller is not in. */
  @Test
  void startsThroughLinks() throws Exception {
    Distribution.unpack(ARCHIVE, folder);
    Path elsewhere = Files.createDirectories(folder.resolve("else where"));
    Files.createSymbolicLink(
        elsewhere.resolve("inner"), Path.of("../heddle-" + Distribution.VERSION + "/bin/heddle"));
    Path outer = Files.createSymbolicLink(elsewhere.resolve("outer"), Path.of("inner"));
    JsonNode found = Shell.in(Path.of("/")).run(outer, "info", "--json").json();
    assertThat(found.toString()).contains("byte-llama-5m");
  }

  @Test
  void findsThePluginsInItsFolder() throws Exception {
    Distribution heddle = Distribution.unpack(ARCHIVE, folder);
    Path plugins = heddle.home().resolve("plugins");
    Path plugin = Example.named("tri-shape").plugin();
    Files.copy(plugin, plugins.resolve(plugin.getFileName()));
    Files.writeString(plugins.resolve("broken.jar"), "no jar");

    JsonNode found = Shell.in(folder).run(heddle.command(), "patterns", "--json").json();

    assertThat(found.get("patterns").valueStream().map(pattern -> pattern.get("name").asString()))
        .containsExactly("a-shape", "block-sparse", "dense", "tri-shape", "vertical-slash");
    assertThat(found.get("refused").valueStream().map(refusal -> refusal.get("source").asString()))
        .containsExactly(plugins.toRealPath().resolve("broken.jar").toString());
  }

  /** With a PATH on which there is no Java, and a JAVA_HOME that is none. */
  @Test
  @EnabledIfSystemProperty(named = WITH_JDK, matches = ".+")
  void theOneWithAJdkRunsOnIt() throws Exception {
    Distribution heddle = Distribution.unpack(WITH_JDK, folder);
    Shell shell = Shell.in(folder).with("JAVA_HOME", "/nowhere").with("PATH", tools());
    assertThat(shell.run("sh", "-c", "command -v java").status()).isNotZero();
    shell.run(heddle.command(), "demo", "--tokens", 2048, "--json").json();
    assertThat(
            shell
                .with("JDK_JAVA_OPTIONS", "-XshowSettings:properties")
                .run(heddle.command(), "--version")
                .succeeded()
                .err())
        .contains("java.home = " + heddle.home().toRealPath().resolve("jdk"));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** A folder that holds the few tools that the script uses. */
  private String tools() throws IOException, InterruptedException {
    Path tools = Files.createDirectories(folder.resolve("tools"));
    for (String tool : new String[] {"sh", "dirname", "readlink"}) {
      String found = Shell.in(folder).run("sh", "-c", "command -v " + tool).succeeded().out();
      Files.createSymbolicLink(tools.resolve(tool), Path.of(found.strip()));
    }
    return tools.toString();
  }
}
