package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.PatternRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/** Patterns that are dropped into a folder. */
class PluginsTest {
  private static final String HEADS =
      """
      {"format": "heddle-heads/1",
       "shape": {"layers": 1, "queryHeads": 2, "keyValueHeads": 1, "headDim": 32},
       "defaults": {"pattern": "window"}}
      """;

  @TempDir private Path folder;
  @TempDir private Path work;
  private Path plugins = Path.of("");
  private Path jar = Path.of("");

  @BeforeEach
  void dropIn() throws IOException {
    plugins = folder.resolve("plugins");
    jar = PluginJar.write(plugins.resolve("window-1.0.jar"), work, PluginJar.window("window"));
  }

  @Test
  void attendComputesWithAPluginWhatTheSamePatternInCodeComputes() throws IOException {
    Path dropped = folder.resolve("dropped.npy");
    Path inCode = folder.resolve("in-code.npy");
    List<String> arguments = attention();

    attend(arguments, "--out", dropped, "--plugins", plugins).succeeded();
    PatternRegistry registry = PatternRegistry.builder().add(new SparsePatterns.Window()).build();
    StringWriter text = new StringWriter();
    Console console = new Console(new PrintWriter(text), new PrintWriter(text), false);
    int status =
        new CommandLine(new AttendCommand(console, _ -> registry))
            .execute(with(arguments, "--out", inCode));

    assertThat(status).as(text.toString()).isZero();
    assertThat(Files.size(dropped)).isEqualTo(128 + 2 * 300 * 32 * Float.BYTES);
    assertThat(dropped).hasSameBinaryContentAs(inCode);
  }

  @Test
  void withoutTheFolderThereIsNoSuchPattern() {
    attend(attention(), "--out", folder.resolve("out.npy"))
        .refused("no pattern is called \"window\"", "or into the plugins' folder");
  }

  @Test
  void patternsListsWhatWasFoundAndWhatWasRefused() throws IOException {
    Path bad = Files.writeString(plugins.resolve("bad.jar"), "no jar");

    assertThat(CommandRun.heddle("patterns", "--plugins", plugins).succeeded().out())
        .containsSubsequence("a-shape", "dense", "vertical-slash", "window\n    a window\n")
        .contains("    from window (" + jar + ")\n")
        .endsWith(
            "refused: %s\n    bad.jar is no usable jar: zip END header not found\n".formatted(bad));

    JsonNode listed = CommandRun.json("patterns", "--plugins", plugins);
    JsonNode window = listed.get("patterns").get(4);
    assertThat(window.get("name").asString()).isEqualTo("window");
    assertThat(window.get("source").asString()).isEqualTo("window (" + jar + ")");
    assertThat(window.get("alsoIn").isEmpty()).isTrue();
    assertThat(listed.get("refused").get(0).get("source").asString()).isEqualTo(bad.toString());
    assertThat(listed.get("refused").get(0).get("reason").asString()).contains("no usable jar");
  }

  @Test
  void theFolderBesideHeddleIsLookedInUnlessAnotherIsNamed() {
    assertThat(inHome("patterns")).contains("from window (" + jar + ")");
    assertThat(inHome("patterns", "--plugins", work.toString())).doesNotContain(jar.toString());
  }

  @Test
  void aHeadsFileMayNameAPlugin() throws IOException {
    Path heads = Files.writeString(folder.resolve("heads.json"), HEADS);

    assertThat(CommandRun.heddle("check", heads, "--plugins", plugins).succeeded().out())
        .containsPattern("\\[0]  window +2 heads");
    CommandRun.heddle("check", heads).refused("window");
  }

  @Test
  void aFolderThatIsNotThereIsRefused() {
    Path missing = folder.resolve("missing");
    CommandRun.heddle("patterns", "--plugins", missing)
        .refused("plugins: there is no folder " + missing);
  }

  @ParameterizedTest
  @ValueSource(strings = {"attend", "bench attention", "check", "demo", "patterns", "run"})
  void everyCommandThatLooksForPatternsTakesPlugins(String command) {
    CommandRun help = CommandRun.heddle((Object[]) (command + " --help").split(" ")).succeeded();
    assertThat(help.out()).contains("--plugins=DIR");
  }

  private List<String> attention() {
    List<String> arguments = new ArrayList<>(List.of("--pattern", "window", "--backend", "vector"));
    String[] names = {"q", "k", "v"};
    for (int i = 0; i < names.length; i++) {
      Path file = folder.resolve(names[i] + ".npy");
      TestArrays.write(file, ElementType.FLOAT32, i, i == 0 ? 2 : 1, 300, 32);
      arguments.addAll(List.of("--" + names[i], file.toString()));
    }
    return arguments;
  }

  private String inHome(String... arguments) {
    StringWriter out = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(out), false);
    assertThat(Heddle.run(arguments, console, new Home(folder))).isZero();
    return out.toString();
  }

  private static CommandRun attend(List<String> arguments, Object... more) {
    return CommandRun.heddle(
        Stream.concat(Stream.of("attend"), Stream.of(with(arguments, more))).toArray());
  }

  private static String[] with(List<String> arguments, Object... more) {
    return Stream.concat(arguments.stream(), Stream.of(more).map(String::valueOf))
        .toArray(String[]::new);
  }
}
