package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.llm.ModelConfig.Biases;
import dev.heddle.llm.ModelConfig.Rotary;
import dev.heddle.runtime.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConfigTest {
  @TempDir Path folder;

  private ModelConfig read(RandomModel model) {
    model.writeConfig(folder);
    return ModelConfig.read(folder);
  }

  private static RandomModel model(String type) {
    return new RandomModel(type, ElementType.FLOAT32, 2, 2);
  }

  @Test
  void missingKeysHaveTheValuesOfTransformers() {
    ModelConfig config =
        read(
            model("llama")
                .with("hidden_size", 48)
                .without("num_key_value_heads")
                .without("head_dim")
                .without("rope_theta")
                .without("rms_norm_eps")
                .without("hidden_act")
                .without("tie_word_embeddings")
                .without("eos_token_id"));
    assertThat(config.attention()).isEqualTo(new ModelShape(2, 4, 4, 12));
    assertThat(config.rotary()).isEqualTo(new Rotary(10_000, new RotaryScaling.None()));
    assertThat(config.normEpsilon()).isEqualTo(1e-6f);
    assertThat(config.tiedEmbeddings()).isFalse();
    assertThat(config.biases()).isEqualTo(new Biases(false, false, false));
    assertThat(config.endTokens()).isEmpty();
    assertThat(config.slidingWindow()).isEmpty();
  }

  @Test
  void qwen3HeadsHave128NumbersUnlessSaid() {
    assertThat(read(model("qwen3").without("head_dim")).attention().headDim()).isEqualTo(128);
  }

  @Test
  void nullCountsAsMissing() throws IOException {
    model("mistral").writeConfig(folder);
    Path file = folder.resolve("config.json");
    String json = Files.readString(file);
    Files.writeString(
        file,
        json.substring(0, json.length() - 1) + ",\"sliding_window\":null,\"rope_scaling\":null}");
    assertThat(ModelConfig.read(folder).slidingWindow()).isEmpty();
  }

  @Test
  void aWindowCountsWhereTheFamilyUsesIt() {
    assertThat(read(model("mistral").with("sliding_window", 9)).slidingWindow()).hasValue(9);
    assertThat(read(model("llama").with("sliding_window", 9)).slidingWindow()).isEmpty();
    assertThat(read(model("qwen2").with("sliding_window", 9)).slidingWindow()).isEmpty();
    assertThat(
            read(model("qwen2").with("sliding_window", 9).with("use_sliding_window", true))
                .slidingWindow())
        .hasValue(9);
  }

  @Test
  void bothFormsOfRotarySettingsAreRead() {
    Map<String, Object> llama3 =
        Map.of(
            "rope_type", "llama3",
            "factor", 8,
            "low_freq_factor", 1,
            "high_freq_factor", 4,
            "original_max_position_embeddings", 8192);
    RotaryScaling expected = new RotaryScaling.Llama3(8, 1, 4, 8192);
    assertThat(read(model("llama").with("rope_scaling", llama3)).rotary())
        .isEqualTo(new Rotary(10_000, expected));
    assertThat(
            read(model("llama").with("rope_scaling", Map.of("type", "linear", "factor", 2)))
                .rotary())
        .isEqualTo(new Rotary(10_000, new RotaryScaling.Linear(2)));
    assertThat(
            read(model("llama")
                    .without("rope_theta")
                    .with("rope_parameters", Map.of("rope_type", "default", "rope_theta", 500)))
                .rotary())
        .isEqualTo(new Rotary(500, new RotaryScaling.None()));
  }

  @Test
  void endTokensOfBothFilesCount() throws IOException {
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[7,8]}");
    assertThat(read(model("llama").with("eos_token_id", List.of(2, 7))).endTokens())
        .containsExactlyInAnyOrder(2, 7, 8);
  }
}
