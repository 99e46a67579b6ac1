package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.SparseAttention;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The bundled model on a text that is longer than a chunk of projections, on a GPU and on the
 * processor. The processor computes in float32; the GPU may differ from it by twice the error of
 * plain bfloat16 arithmetic, as the golden values tell it.
 */
@Tag("gpu")
class GpuLongPromptTest {
  private static final Path MODEL = Path.of("../models/byte-llama-5m");
  private static final int TOKENS = 18_000;
  private static final int[] POSITIONS = {0, 1023, 16_383, 16_384, 16_385, TOKENS - 1};

  /** GpuModelTest works it out: the plain error on the golden prompts is 0.37. */
  private static final double ALLOWED = 0.73;

  @BeforeAll
  static void requireGpu() {
    GpuModels.require();
  }

  @ParameterizedTest
  @ValueSource(strings = {"dense", "a-shape"})
  void logitsAreTheProcessors(String pattern) throws IOException {
    int[] prompt = prompt();
    Logits expected = read("vector", pattern, prompt);
    Logits found = read("cuda", pattern, prompt);
    for (int i = 0; i < POSITIONS.length; i++) {
      float[] row = expected.at(i);
      float[] other = found.at(i);
      double greatest = 0;
      for (int token = 0; token < row.length; token++) {
        greatest = Math.max(greatest, Math.abs(row[token] - other[token]));
      }
      System.out.printf("%s, position %d: %.3g%n", pattern, POSITIONS[i], greatest);
      assertThat(greatest).as("%s, position %d", pattern, POSITIONS[i]).isLessThan(ALLOWED);
    }
  }

  /** Two passes, the second with a chunk's border elsewhere. */
  @Test
  void aTextInTwoPartsIsATextInOne() throws IOException {
    int[] prompt = prompt();
    int first = 900;
    try (LlamaModel model = open("cuda");
        SparseAttention attention = attention("cuda", "dense", model);
        KeyValueCache one = model.newCache(TOKENS);
        KeyValueCache two = model.newCache(TOKENS)) {
      float[] whole = model.prefill(attention, one, prompt, PrefillProgress.SILENT).logits().at(0);
      model.prefill(attention, two, Arrays.copyOf(prompt, first), PrefillProgress.SILENT);
      float[] parts =
          model
              .prefill(
                  attention, two, Arrays.copyOfRange(prompt, first, TOKENS), PrefillProgress.SILENT)
              .logits()
              .at(0);
      for (int token = 0; token < whole.length; token++) {
        assertThat((double) Math.abs(whole[token] - parts[token])).isLessThan(ALLOWED);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeWork() throws IOException {
    LlamaModel.Settings little =
        LlamaModel.Settings.standard().withBackend("cuda").withMemoryLimit(100 << 20);
    try (LlamaModel model = LlamaModel.open(MODEL, little);
        SparseAttention attention = attention("cuda", "dense", model);
        KeyValueCache cache = model.newCache(1000)) {
      assertThat(model.prefill(attention, cache, new int[10], PrefillProgress.SILENT).reports())
          .hasSize(6);
      assertThatThrownBy(() -> model.requireReadable(100_000, 10))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a prompt of 100000 tokens with 10 new ones needs")
          .hasMessageContaining("but 0.10 GiB may be used");
      assertThatThrownBy(
              () -> model.measurePrefill(attention, new int[100_000], LlamaModel.Settings.ONE_PASS))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a prompt of 100000 tokens needs");
    }
  }

  private static Logits read(String backend, String pattern, int[] prompt) {
    try (LlamaModel model = open(backend);
        SparseAttention attention = attention(backend, pattern, model);
        KeyValueCache cache = model.newCache(prompt.length)) {
      Prefilled prefilled =
          model.prefillAt(attention, cache, prompt, POSITIONS, PrefillProgress.SILENT);
      List<Double> densities =
          prefilled.reports().stream().map(report -> report.density()).toList();
      assertThat(densities).allMatch(density -> pattern.equals("dense") == (density == 1));
      return prefilled.logits();
    }
  }

  private static LlamaModel open(String backend) {
    return LlamaModel.open(MODEL, LlamaModel.Settings.standard().withBackend(backend));
  }

  private static SparseAttention attention(String backend, String pattern, LlamaModel model) {
    Map<String, Object> options =
        pattern.equals("dense") ? Map.of() : Map.of("sink", 64, "local", 512);
    return SparseAttention.builder()
        .heads(HeadsConfig.uniform(model.attentionShape(), pattern, options))
        .backend(backend)
        .build();
  }

  /** A text that the model has not seen, behind its first token. */
  private static int[] prompt() throws IOException {
    byte[] text = Files.readAllBytes(Path.of("../texts/jargon-file.txt"));
    int[] prompt = new int[TOKENS];
    prompt[0] = 256;
    for (int i = 1; i < TOKENS; i++) {
      prompt[i] = text[100_000 + i] & 0xff;
    }
    return prompt;
  }
}
