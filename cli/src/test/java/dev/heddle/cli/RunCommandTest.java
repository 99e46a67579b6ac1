package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.search.Fact;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class RunCommandTest {
  private static final Path MODEL = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");

  @TempDir private Path folder;
  private Path prompt = Path.of("");

  @BeforeEach
  void writePrompt() throws IOException {
    Fact fact = new Fact("zahifi", "533740");
    prompt =
        Files.writeString(
            folder.resolve("prompt.txt"), fact.statement().repeat(3) + fact.question());
    Files.createFile(folder.resolve("empty.txt"));
    Files.write(folder.resolve("binary.txt"), new byte[] {'a', 'b', (byte) 0xFF});
    Files.writeString(folder.resolve("long.txt"), "x".repeat(131_073));
    Files.writeString(folder.resolve("heads.json"), OTHER_HEADS);
    Files.writeString(Files.createDirectory(folder.resolve("broken")).resolve("config.json"), "{");
  }

  private static final String OTHER_HEADS =
      """
      {"format": "heddle-heads/1",
       "shape": {"layers": 2, "queryHeads": 8, "keyValueHeads": 2, "headDim": 32},
       "defaults": {"pattern": "dense"}}
      """;

  @Test
  void writesTheAnswerToStandardOutputAndTheSpeedToStandardError() {
    CommandRun run =
        CommandRun.heddle("run", "--model", MODEL, "--prompt-file", prompt, "--max-new-tokens", 7);
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo("533740]" + System.lineSeparator());
    assertThat(run.err()).contains("tokens read in", "7 tokens at", "backend vector");
  }

  @Test
  void tellsTheSameAsJson() {
    JsonNode run =
        CommandRun.json(
            "run",
            "--model",
            MODEL,
            "--prompt-file",
            prompt,
            "--max-new-tokens",
            3,
            "--dense",
            "--threads",
            1);
    assertThat(run.get("text").asString()).isEqualTo("533");
    assertThat(run.get("end").asString()).isEqualTo("max-new-tokens");
    assertThat(run.get("newTokens").asInt()).isEqualTo(3);
    assertThat(run.get("density").asDouble()).isEqualTo(1);
    assertThat(run.get("firstTokenSeconds").asDouble()).isPositive();
    assertThat(run.get("threads").asInt()).isEqualTo(1);
  }

  @Test
  void aPrefillAloneWritesTheFirstToken() {
    JsonNode run =
        CommandRun.json("run", "--model", MODEL, "--prompt-file", prompt, "--prefill-only");
    assertThat(run.get("text").asString()).isEqualTo("5");
    assertThat(run.get("newTokens").asInt()).isEqualTo(1);
    assertThat(run.get("firstTokenSeconds").asDouble()).isPositive();
  }

  @Test
  void aTextIsReadOnceForSeveralQuestions() throws IOException {
    Fact first = new Fact("zahifi", "533740");
    Fact second = new Fact("molabu", "108829");
    Path text =
        Files.writeString(
            folder.resolve("text.txt"), (first.statement() + second.statement()).repeat(3));
    String questions = first.question() + "\n\n" + second.question() + "\n" + first.question();
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(questions.getBytes(StandardCharsets.UTF_8)));
    try {
      JsonNode run =
          CommandRun.json(
              "run",
              "--model",
              MODEL,
              "--prompt-file",
              text,
              "--interactive",
              "--max-new-tokens",
              7);
      assertThat(run.at("/answers").size()).isEqualTo(3);
      assertThat(run.at("/answers/0/text").asString()).isEqualTo("533740]");
      assertThat(run.at("/answers/1/text").asString()).isEqualTo("108829]");
      // What was asked before leaves no trace.
      assertThat(run.at("/answers/2/text").asString()).isEqualTo("533740]");
      assertThat(run.at("/answers/2/questionTokens").asInt())
          .isLessThan(run.at("/textTokens").asInt());
    } finally {
      System.setIn(before);
    }
    CommandRun.heddle(
            "run", "--model", MODEL, "--prompt-file", text, "--interactive", "--prefill-only")
        .refused("give at most one of --interactive and --prefill-only");
  }

  @Test
  void aDryRunSaysWhatMemoryIsNeeded() {
    CommandRun run =
        CommandRun.heddle("run", "--model", MODEL, "--prompt-file", prompt, "--dry-run");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).contains("128 new ones need 0.0", "GiB are free: it fits");
    JsonNode plan =
        CommandRun.json(
            "run", "--model", MODEL, "--prompt-file", prompt, "--dry-run", "--max-new-tokens", 9);
    int tokens = plan.get("promptTokens").asInt() + 9;
    // K and V of 6 layers x 2 heads x 64 numbers of 4 bytes
    assertThat(plan.get("keyValueBytes").asLong()).isEqualTo(2L * 6 * 2 * 64 * 4 * tokens);
    assertThat(plan.get("fits").asBoolean()).isTrue();
  }

  @Test
  void aPromptInChunksHasTheSameAnswerAndNeedsLessMemory() {
    Object[] run = {
      "run", "--model", MODEL, "--prompt-file", prompt, "--max-new-tokens", 7, "--chunk", 32
    };
    JsonNode answer = CommandRun.json(run);
    assertThat(answer.get("text").asString()).isEqualTo("533740]");
    assertThat(answer.get("density").asDouble()).isEqualTo(1);
    Object[] dry = Arrays.copyOf(run, run.length + 1);
    dry[run.length] = "--dry-run";
    assertThat(CommandRun.heddle(dry).succeeded().out())
        .contains("tokens in chunks of 32 and 7 new ones need 0.0");
    JsonNode inChunks = CommandRun.json(dry);
    dry[run.length - 1] = 100_000;
    JsonNode inOnePass = CommandRun.json(dry);
    assertThat(inChunks.get("chunkTokens").asInt()).isEqualTo(32);
    assertThat(inOnePass.get("chunkTokens")).isEqualTo(inOnePass.get("promptTokens"));
    assertThat(inChunks.get("keyValueBytes")).isEqualTo(inOnePass.get("keyValueBytes"));
    assertThat(inChunks.get("computeBytes").asLong())
        .isLessThan(inOnePass.get("computeBytes").asLong() / 2);
  }

  @Test
  void aSeedDecidesTheSampling() {
    Object[] arguments = {
      "run",
      "--model",
      MODEL,
      "--prompt-file",
      prompt,
      "--max-new-tokens",
      8,
      "--temperature",
      2,
      "--top-p",
      0.95,
      "--seed",
      5
    };
    assertThat(CommandRun.heddle(arguments).out()).isEqualTo(CommandRun.heddle(arguments).out());
  }

  @Test
  void saysThatAModelWithoutAHeadsFileRunsDense() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String file : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      Files.createSymbolicLink(model.resolve(file), MODEL.resolve(file));
    }
    CommandRun run =
        CommandRun.heddle("run", "--model", model, "--prompt-file", prompt, "--max-new-tokens", 1);
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.err()).contains("there is no " + model.resolve("heads.json"), "every head");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--prompt-file @prompt.txt                            | --model=DIR",
        "--model @none --prompt-file @prompt.txt              | none: there is no such folder",
        "--model @broken --prompt-file @prompt.txt            | config.json",
        "--model MODEL                                        | --prompt-file=FILE",
        "--model MODEL --prompt-file @none.txt                | none.txt: there is no such file",
        "--model MODEL --prompt-file @broken                  | broken is not a file",
        "--model MODEL --prompt-file @empty.txt               | empty.txt is empty",
        "--model MODEL --prompt-file @binary.txt              | not UTF-8: byte 2",
        "--model MODEL --prompt-file @long.txt                | 131074 tokens is too long",
        "MODEL_PROMPT --heads @heads.json --dense             | at most one of --heads",
        "MODEL_PROMPT --heads @none.json                      | none.json",
        "MODEL_PROMPT --heads @heads.json                     | heads.json is for 2 layers",
        "MODEL_PROMPT --max-new-tokens 0                      | max-new-tokens is 0",
        "MODEL_PROMPT --temperature -1                        | temperature is -1.0",
        "MODEL_PROMPT --top-p 1.5                             | top-p is 1.5",
        "MODEL_PROMPT --backend warp                          | warp",
        "MODEL_PROMPT --chunk 0                               | --chunk is 0; allowed: an integer",
        "MODEL_PROMPT --threads 0                             | threads is 0",
      })
  void refuses(String arguments, String message) {
    String words =
        arguments
            .replace("MODEL_PROMPT", "--model MODEL --prompt-file @prompt.txt")
            .replace("MODEL", MODEL.toString())
            .replace("@", folder + "/");
    CommandRun.heddle(Stream.concat(Stream.of("run"), Arrays.stream(words.split(" +"))).toArray())
        .refused(message);
  }

  @Test
  void aPromptMayHoldCharactersOfSeveralBytes() throws IOException {
    Path accents = folder.resolve("accents.txt");
    Files.write(accents, "Où est la clé ?".getBytes(StandardCharsets.UTF_8));
    JsonNode run =
        CommandRun.json(
            "run", "--model", MODEL, "--prompt-file", accents, "--max-new-tokens", 1, "--dense");
    assertThat(run.get("promptTokens").asInt()).isEqualTo(1 + 17);
  }
}
