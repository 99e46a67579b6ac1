package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class AttendCommandTest {
  private static final int QUERY_HEADS = 4;
  private static final int KEY_VALUE_HEADS = 2;
  private static final int QUERY_TOKENS = 65;
  private static final int KEY_TOKENS = 113;
  private static final int HEAD_DIM = 32;
  private static final String SINK = "--option=sink=3";
  private static final String LOCAL = "--option=local=17";

  @TempDir private Path folder;
  private Path out = Path.of("");

  @BeforeEach
  void writeInputs() {
    out = folder.resolve("out.npy");
    inputs(ElementType.FLOAT32, ".npy");
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, .npy, 1e-5",
    "FLOAT16, .npy, 1e-2",
    "FLOAT32, .safetensors, 1e-5",
    "FLOAT16, .safetensors, 1e-2",
    "BFLOAT16, .safetensors, 2e-2"
  })
  void computesTheAttentionThatThePatternMeans(ElementType type, String ending, double tolerance)
      throws IOException {
    // Outputs are means of normal numbers, below 4 in size. Float32 sums of 113 products err by
    // some 1e-6; float16 and bfloat16 round outputs by 2^-11 and 2^-8 of their size.
    inputs(type, ending);
    out = folder.resolve("out" + ending);
    Path lse = folder.resolve("lse.npy");
    attend(ending, "--pattern", "a-shape", SINK, LOCAL, "--lse-out", lse).succeeded();
    try (Arena arena = Arena.ofShared();
        ArrayReader reader = new ArrayReader(arena)) {
      HeadTensor result = reader.map(out.toString());
      assertThat(result.type()).isEqualTo(type);
      List<HeadTensor> inputs = new ArrayList<>();
      for (String name : List.of("q", "k", "v")) {
        inputs.add(reader.map(folder.resolve(name + ending).toString()));
      }
      for (int head = 0; head < QUERY_HEADS; head++) {
        for (int query = 0; query < QUERY_TOKENS; query++) {
          double[] expected = expected(inputs, head, query);
          double[] actual = new double[HEAD_DIM];
          for (int dim = 0; dim < HEAD_DIM; dim++) {
            actual[dim] = result.head(head).get(query, dim);
          }
          assertThat(actual).containsExactly(expected, within(tolerance));
        }
      }
    }
    assertThat(Files.size(lse)).isEqualTo(128 + QUERY_HEADS * QUERY_TOKENS * Float.BYTES);
  }

  @Test
  void vectorAndReferenceAgree() throws IOException {
    List<float[]> results = new ArrayList<>();
    for (String backend : List.of("vector", "reference")) {
      attend(
              ".npy",
              "--pattern",
              "vertical-slash",
              "--option",
              "verticals=9",
              "--option",
              "slashes=20",
              "--option",
              "local=4",
              "--backend",
              backend)
          .succeeded();
      results.add(numbers(out));
    }
    float[] vector = results.getFirst();
    float[] reference = results.getLast();
    assertThat(vector).hasSize(QUERY_HEADS * QUERY_TOKENS * HEAD_DIM);
    for (int i = 0; i < vector.length; i++) {
      assertThat(vector[i]).isCloseTo(reference[i], within(1e-5f));
    }
  }

  @Test
  void tellsWhatItDid() {
    JsonNode report =
        CommandRun.json(arguments(".npy", "--pattern", "a-shape", SINK, LOCAL, "--threads", 1));
    assertThat(report.get("queryHeads").asInt()).isEqualTo(QUERY_HEADS);
    assertThat(report.get("keyTokens").asInt()).isEqualTo(KEY_TOKENS);
    assertThat(report.get("density").asDouble()).isBetween(0.1, 0.9);
    assertThat(report.get("indexMillis").asDouble()).isPositive();
    assertThat(report.get("attentionMillis").asDouble()).isPositive();
    assertThat(report.get("heads").get(3).get("pattern").asString()).isEqualTo("a-shape");
    assertThat(report.get("written").get(0).asString()).isEqualTo(out.toString());
  }

  @Test
  void tellsWhyHeadsRanDense() {
    Object[] tooShort = {"--pattern", "a-shape", SINK, LOCAL, "--dense-below", 500};
    JsonNode head = CommandRun.json(arguments(".npy", tooShort)).get("heads").get(3);
    assertThat(head.get("pattern").asString()).isEqualTo("dense");
    assertThat(head.get("note").asString()).isEqualTo("fewer than 500 keys");
    assertThat(attend(".npy", tooShort).succeeded().out())
        .containsPattern("dense +4 heads: fewer than 500 keys\n");
  }

  @Test
  void writesTheIndex() throws IOException {
    Path index = folder.resolve("index.json");
    attend(".npy", "--pattern", "a-shape", SINK, LOCAL, "--index-out", index).succeeded();
    JsonNode json = JsonMapper.builder().build().readTree(Files.readString(index));
    assertThat(json.get("blockShape").get(0).asInt()).isPositive();
    assertThat(json.get("heads").size()).isEqualTo(QUERY_HEADS);
    JsonNode row = json.get("heads").get(1).get("rows").get(0);
    assertThat(row.get("blocks").isArray() && row.get("columns").isArray()).isTrue();
    // Query 0 stands at position 48: its window begins at key 32, the sinks are keys 0 to 2.
    assertThat(reads(row, json.get("blockShape").get(1).asInt())).contains(0, 1, 2, 32, 48, 112);
  }

  @Test
  void usesALayerOfAHeadsFile() throws IOException {
    Path heads = headsFile("\"layers\": \"1\", \"heads\": \"0-3\", \"pattern\": \"a-shape\"");
    JsonNode first = CommandRun.json(arguments(".npy", "--heads", heads));
    assertThat(first.get("heads").get(0).get("pattern").asString()).isEqualTo("dense");
    JsonNode second =
        CommandRun.json(arguments(".npy", "--heads", heads, "--layer", 1, "--dense-below", 0));
    assertThat(second.get("written").get(0).asString()).isEqualTo(out.toString());
    assertThat(out).exists();
  }

  @Test
  void choosesATensorByName() {
    inputs(ElementType.BFLOAT16, ".safetensors");
    Path q = folder.resolve("q.safetensors");
    out = folder.resolve("o.safetensors");
    CommandRun.heddle(
            "attend",
            "--q",
            q + "#x",
            "--k",
            folder.resolve("k.safetensors"),
            "--v",
            folder.resolve("v.safetensors"),
            "--pattern",
            "dense",
            "--out",
            out)
        .succeeded();
    CommandRun.heddle(
            "attend", "--q", q + "#y", "--k", q, "--v", q, "--pattern", "dense", "--out", out)
        .refused(q.toString(), "there is no tensor \"y\"", "\"x\"");
  }

  @Test
  void replacesAnOldFile() throws IOException {
    Files.writeString(out, "old");
    attend(".npy", "--pattern", "dense").succeeded();
    assertThat(Files.size(out)).isGreaterThan(3);
  }

  private CommandRun attend(String ending, Object... more) {
    return CommandRun.heddle(arguments(ending, more));
  }

  private Object[] arguments(String ending, Object... more) {
    List<Object> arguments = new ArrayList<>(List.of("attend"));
    for (String name : List.of("q", "k", "v")) {
      arguments.addAll(List.of("--" + name, folder.resolve(name + ending)));
    }
    arguments.addAll(List.of("--out", out));
    arguments.addAll(Arrays.asList(more));
    return arguments.toArray();
  }

  private void inputs(ElementType type, String ending) {
    TestArrays.write(folder.resolve("q" + ending), type, 1, QUERY_HEADS, QUERY_TOKENS, HEAD_DIM);
    TestArrays.write(folder.resolve("k" + ending), type, 2, KEY_VALUE_HEADS, KEY_TOKENS, HEAD_DIM);
    TestArrays.write(folder.resolve("v" + ending), type, 3, KEY_VALUE_HEADS, KEY_TOKENS, HEAD_DIM);
  }

  private Path headsFile(String entry) throws IOException {
    return Files.writeString(
        folder.resolve("heads.json"),
        """
        {"format": "heddle-heads/1",
         "shape": {"layers": 2, "queryHeads": 4, "keyValueHeads": 2, "headDim": 32},
         "defaults": {"pattern": "dense"}, "heads": [{%s}]}
        """
            .formatted(entry));
  }

  private float[] numbers(Path file) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      HeadTensor tensor = NpyFile.map(file, arena);
      float[] numbers = new float[tensor.heads() * tensor.tokens() * tensor.headDim()];
      tensor.type().load(tensor.memory(), 0, numbers, 0, numbers.length);
      return numbers;
    }
  }

  private static List<Integer> reads(JsonNode row, int keyColumns) {
    List<Integer> keys = new ArrayList<>();
    row.get("columns").forEach(column -> keys.add(column.asInt()));
    for (JsonNode block : row.get("blocks")) {
      for (int i = 0; i < keyColumns; i++) {
        keys.add(block.asInt() + i);
      }
    }
    return keys;
  }

  /** The definition, over the keys that the whole query block reads under a-shape 3 + 17. */
  private static double[] expected(List<HeadTensor> inputs, int head, int query) {
    HeadMatrix keys = inputs.get(1).head(head / 2);
    HeadMatrix values = inputs.get(2).head(head / 2);
    int position = query + KEY_TOKENS - QUERY_TOKENS;
    double[] out = new double[HEAD_DIM];
    double sum = 0;
    for (int key = 0; key <= position; key++) {
      if (key >= 3 && key < 32) {
        continue; // all queries lie in one block, whose first window begins at key 32
      }
      double score = 0;
      for (int dim = 0; dim < HEAD_DIM; dim++) {
        score += (double) inputs.getFirst().head(head).get(query, dim) * keys.get(key, dim);
      }
      double weight = Math.exp(score / Math.sqrt(HEAD_DIM));
      sum += weight;
      for (int dim = 0; dim < HEAD_DIM; dim++) {
        out[dim] += weight * values.get(key, dim);
      }
    }
    for (int dim = 0; dim < HEAD_DIM; dim++) {
      out[dim] /= sum;
    }
    return out;
  }
}
