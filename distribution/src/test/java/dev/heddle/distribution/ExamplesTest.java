package dev.heddle.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * The plugins of {@code examples} and the skeleton of {@code heddle new-pattern}, each built and
 * tested by its own Maven before, in the command. The name of a project is the name of its pattern;
 * its {@code heads.json} is for the bundled model.
 */
class ExamplesTest {
  private static final int TOKENS = 1100;

  @TempDir private static Path folder;
  private static Distribution heddle = new Distribution(Path.of(""));

  @BeforeAll
  static void unpack() {
    heddle = Distribution.unpack("heddle.archive", folder);
  }

  static List<Example> plugins() {
    return Example.plugins();
  }

  @Test
  void thereAreExamples() {
    assertThat(plugins()).extracting(Example::name).contains("tri-shape", "new-loom");
  }

  @Test
  void everyProjectMadeAPluginButTheProgram() throws IOException {
    try (Stream<Path> projects = Files.list(Path.of("..", "examples"))) {
      assertThat(
              projects
                  .filter(project -> Files.exists(project.resolve("pom.xml")))
                  .map(project -> project.getFileName().toString()))
          .filteredOn(name -> !name.equals("library"))
          .isSubsetOf(plugins().stream().map(Example::name).toList());
    }
  }

  @ParameterizedTest
  @MethodSource("plugins")
  void isFoundInANamedFolder(Example example) throws Exception {
    JsonNode found = heddle("patterns", "--plugins", example.pluginFolder());
    assertThat(found.get("refused").isEmpty()).as(found.toString()).isTrue();
    assertThat(found.get("patterns").valueStream().map(pattern -> pattern.get("name").asString()))
        .contains(example.name());
  }

  @ParameterizedTest
  @MethodSource("plugins")
  void servesTheHeadsOfAModel(Example example) throws Exception {
    Path heads = example.folder().resolve("heads.json");
    assertThat(Files.readString(heads)).contains('"' + example.name() + '"');
    JsonNode run =
        heddle(
            "run",
            "--model",
            heddle.model(),
            "--prompt-file",
            heddle.prompt(folder, 2000),
            "--max-new-tokens",
            4,
            "--plugins",
            example.pluginFolder(),
            "--heads",
            heads);
    assertThat(run.get("density").asDouble()).isLessThan(1);
  }

  @ParameterizedTest
  @MethodSource("plugins")
  void computesOneLayer(Example example) throws Exception {
    JsonNode report =
        heddle(
            "attend",
            "--q",
            zeros("q.npy", 4),
            "--k",
            zeros("k.npy", 2),
            "--v",
            zeros("v.npy", 2),
            "--pattern",
            example.name(),
            "--out",
            folder.resolve("out.npy"),
            "--plugins",
            example.pluginFolder());
    assertThat(report.isObject()).isTrue();
    assertThat(folder.resolve("out.npy")).hasSize(128 + 4L * 4 * TOKENS * 64);
  }

  private static JsonNode heddle(Object... arguments) throws Exception {
    Object[] command = new Object[arguments.length + 2];
    command[0] = heddle.command();
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    command[command.length - 1] = "--json";
    return Shell.in(folder).run(command).json();
  }

  /** A float32 array {@code [heads][TOKENS][64]}: format version 1, a header of 128 bytes. */
  private static Path zeros(String name, int heads) throws IOException {
    String header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, 64), }"
            .formatted(heads, TOKENS);
    byte[] file = new byte[128 + 4 * heads * TOKENS * 64];
    byte[] magic = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    System.arraycopy(magic, 0, file, 0, magic.length);
    byte[] text = "%-117s\n".formatted(header).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, file, magic.length, text.length);
    return Files.write(folder.resolve(name), file);
  }
}
