package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.heddle.api.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code attend} does not accept: a message, exit status 2, and nothing written. */
class AttendRefusalsTest {
  @TempDir private Path folder;

  @BeforeEach
  void writeFiles() throws IOException {
    array("q.npy", ElementType.FLOAT32, 4, 70, 32);
    array("k.npy", ElementType.FLOAT32, 2, 90, 32);
    array("k-short.npy", ElementType.FLOAT32, 2, 60, 32);
    array("k-heads.npy", ElementType.FLOAT32, 3, 90, 32);
    array("k-dim.npy", ElementType.FLOAT32, 2, 90, 40);
    array("k-tokens.npy", ElementType.FLOAT32, 2, 91, 32);
    array("q.safetensors", ElementType.BFLOAT16, 4, 70, 32);
    Files.write(folder.resolve("bad.npy"), new byte[100]);
    Files.write(folder.resolve("bad.safetensors"), new byte[100]);
    Files.writeString(folder.resolve("text.txt"), "1 2 3");
    Files.createDirectory(folder.resolve("folder.npy"));
    Files.writeString(folder.resolve("bad.json"), "{");
    Files.writeString(folder.resolve("heads.json"), HEADS);
    Files.writeString(folder.resolve("out.npy"), "old");
  }

  private static final String HEADS =
      """
      {"format": "heddle-heads/1",
       "shape": {"layers": 2, "queryHeads": 8, "keyValueHeads": 2, "headDim": 32},
       "defaults": {"pattern": "dense"}}
      """;

  private static final String DENSE = "--pattern dense --out @out.npy";
  private static final String ARRAYS = "--q @q.npy --k @k.npy --v @k.npy ";

  @ParameterizedTest(name = "attend {0}")
  @MethodSource("refusals")
  void refuses(String arguments, String... words) throws IOException {
    List<Path> before = files();
    heddle(arguments).refused(words);
    assertThat(files()).isEqualTo(before);
    assertThat(folder.resolve("out.npy")).hasContent("old");
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        arguments("", words("Missing required options", "--q=FILE", "--out=FILE")),
        arguments(
            "--q @none.npy --k @k.npy --v @k.npy " + DENSE,
            words("none.npy: there is no such file")),
        arguments(
            "--q @folder.npy --k @k.npy --v @k.npy " + DENSE, words("folder.npy is not a file")),
        arguments("--q @text.txt --k @k.npy --v @k.npy " + DENSE, words("text.txt", ".npy, .safe")),
        arguments("--q @bad.npy --k @k.npy --v @k.npy " + DENSE, words("bad.npy", "not a .npy")),
        arguments("--q @bad.safetensors --k @k.npy --v @k.npy " + DENSE, words("bad.safetensors")),
        arguments(
            "--q @q.npy --k @k-short.npy --v @k-short.npy " + DENSE,
            words("Q is 4 heads x 70 tokens", "K is 2 heads x 60 tokens", "at most K's tokens")),
        arguments(
            "--q @q.npy --k @k-heads.npy --v @k-heads.npy " + DENSE,
            words("Q is 4 heads", "K is 3 heads", "multiple of K's heads")),
        arguments(
            "--q @q.npy --k @k-dim.npy --v @k-dim.npy " + DENSE,
            words("32 numbers", "40 numbers", "as many numbers in K as in Q")),
        arguments(
            "--q @q.npy --k @k.npy --v @k-heads.npy " + DENSE, words("as many heads in V as in K")),
        arguments(
            "--q @q.npy --k @k.npy --v @k-tokens.npy " + DENSE,
            words("90 tokens", "91 tokens", "as many tokens in V as in K")),
        arguments(
            "--q @q.npy --k @k.npy --v @k-dim.npy " + DENSE, words("as many numbers in V as in K")),
        arguments(ARRAYS + "--out @out.npy", words("one of --heads FILE and --pattern NAME")),
        arguments(
            ARRAYS + DENSE + " --heads @heads.json",
            words("one of --heads FILE and --pattern NAME")),
        arguments(
            ARRAYS + DENSE + " --layer 1", words("--layer", "--heads FILE, which is missing")),
        arguments(
            ARRAYS + "--heads @heads.json --option sink=1 --out @out.npy",
            words("--option", "--pattern NAME, which is missing")),
        arguments(
            ARRAYS + "--heads @heads.json --out @out.npy",
            words("4 query heads, 2 key/value", "heads.json is for 8 query heads")),
        arguments(
            ARRAYS + "--heads @heads.json --layer 2 --out @out.npy",
            words("--layer is 2; allowed: 0 to 1")),
        arguments(ARRAYS + "--heads @bad.json --out @out.npy", words("bad.json")),
        arguments(ARRAYS + "--heads @none.json --out @out.npy", words("none.json")),
        arguments(
            ARRAYS + "--pattern nope --out @out.npy",
            words("no pattern is called \"nope\"", "a-shape", "block-sparse", "vertical-slash")),
        arguments(
            ARRAYS + DENSE + " --option sink=1", words("unknown option 'sink'", "there are none")),
        arguments(
            ARRAYS + "--pattern a-shape --option sink=-1 --out @out.npy",
            words("option 'sink' is \"-1\"", "an integer from 0 (tokens)")),
        arguments(
            ARRAYS + "--pattern a-shape --option sink --out @out.npy", words("--option", "sink")),
        arguments(ARRAYS + DENSE + " --threads 0", words("threads is 0", "from 1")),
        arguments(ARRAYS + DENSE + " --threads many", words("--threads", "'many'")),
        arguments(
            ARRAYS + DENSE + " --backend warp", words("warp", "auto, cuda, vector, reference")),
        arguments(ARRAYS + DENSE + " --scale NaN", words("NaN", "finite")),
        arguments(ARRAYS + DENSE + " --lse-out @out.npy", words("the same file")),
        arguments(ARRAYS + DENSE + " --lse-out @none/lse.npy", words("none/lse.npy", "folder")),
        arguments(ARRAYS + DENSE + " --index-out @folder.npy", words("folder.npy", "not a file")),
        arguments(ARRAYS + "--pattern dense --out @none/o.npy", words("none/o.npy cannot be")),
        arguments(ARRAYS + "--pattern dense --out @o.bin", words("o.bin", ".npy, .safetensors")),
        arguments(
            "--q @q.safetensors --k @k.npy --v @k.npy " + DENSE,
            words("no bfloat16", "write a .safetensors file")),
        arguments(ARRAYS + DENSE + " --colour red", words("--colour")));
  }

  @Test
  void anErrorIsOneJsonObjectToo() {
    CommandRun run = heddle(ARRAYS + "--pattern nope --json --out @out.npy");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.object().get("error").asString()).startsWith("no pattern is called \"nope\"");
    assertThat(run.object().get("exitStatus").asInt()).isEqualTo(2);
  }

  @Test
  void aStackTraceComesWhenAskedFor() {
    CommandRun run = heddle(ARRAYS + "--pattern nope --stacktrace --out @out.npy");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("UnknownPatternException", "\tat ");
  }

  /** Runs {@code attend} with words in which {@code @} stands for the folder. */
  private CommandRun heddle(String arguments) {
    Stream<String> words = Arrays.stream(arguments.split(" ")).filter(word -> !word.isEmpty());
    return CommandRun.heddle(
        Stream.concat(Stream.of("attend"), words.map(word -> word.replace("@", folder + "/")))
            .toArray());
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private void array(String name, ElementType type, int heads, int tokens, int headDim) {
    TestArrays.write(folder.resolve(name), type, 7, heads, tokens, headDim);
  }

  private static String[] words(String... words) {
    return words;
  }
}
