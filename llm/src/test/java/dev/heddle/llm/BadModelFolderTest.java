package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Model folders that cannot be read: each is refused before any work, with what would be right. */
class BadModelFolderTest {
  @TempDir Path folder;

  private static RandomModel llama() {
    return new RandomModel("llama", ElementType.FLOAT32, 2, 2);
  }

  static Stream<Arguments> badSettings() {
    return Stream.of(
        Arguments.of(
            llama().with("model_type", "gpt2"),
            "model_type: is \"gpt2\"; allowed: \"llama\", \"mistral\", \"qwen2\", \"qwen3\""),
        Arguments.of(llama().with("model_type", 3), "model_type: is 3; allowed: a string"),
        Arguments.of(llama().without("model_type"), "the key \"model_type\" is missing"),
        Arguments.of(
            llama().with("hidden_act", "gelu"), "hidden_act: is \"gelu\"; allowed: \"silu\""),
        Arguments.of(llama().without("hidden_size"), "the key \"hidden_size\" is missing"),
        Arguments.of(
            llama().with("hidden_size", 0), "hidden_size: is 0; allowed: an integer from 1"),
        Arguments.of(
            llama().with("hidden_size", 36.5), "hidden_size: is 36.5; allowed: an integer from 1"),
        Arguments.of(
            llama().with("vocab_size", "50"), "vocab_size: is \"50\"; allowed: an integer from 1"),
        Arguments.of(
            llama().with("num_hidden_layers", 4294967296L),
            "num_hidden_layers: is 4294967296; allowed: an integer from 1 to 2147483647"),
        Arguments.of(
            llama().with("num_key_value_heads", 3),
            "num_key_value_heads: is 3; allowed: a divisor of num_attention_heads, which is 4"),
        Arguments.of(
            llama().with("num_attention_heads", 1 << 30),
            "num_attention_heads: is 1073741824; allowed: at most 67108863 with a head dim of 32"),
        Arguments.of(llama().with("head_dim", 33), "head_dim: is 33; allowed: an even number"),
        Arguments.of(
            llama().without("head_dim"),
            "hidden_size: is 36; allowed: an even multiple of num_attention_heads, which is 4"),
        Arguments.of(
            new RandomModel("qwen2", ElementType.FLOAT32, 2, 2).without("num_key_value_heads"),
            "the key \"num_key_value_heads\" is missing"),
        Arguments.of(
            llama().with("rms_norm_eps", -1), "rms_norm_eps: is -1; allowed: a number above 0"),
        Arguments.of(
            llama().with("tie_word_embeddings", "yes"),
            "tie_word_embeddings: is \"yes\"; allowed: true or false"),
        Arguments.of(
            llama().with("eos_token_id", List.of(2, -5)),
            "eos_token_id[1]: is -5; allowed: an integer from 0"),
        Arguments.of(
            llama().with("quantization_config", Map.of("bits", 4)),
            "quantization_config: quantised weights cannot be read"),
        Arguments.of(
            llama().with("rope_scaling", Map.of("rope_type", "yarn", "factor", 4)),
            "rope_scaling.rope_type: is \"yarn\"; allowed: \"default\", \"linear\", \"llama3\""),
        Arguments.of(
            llama().with("rope_scaling", Map.of("type", "linear")),
            "rope_scaling: the key \"factor\" is missing"),
        Arguments.of(
            llama().with("rope_scaling", "linear"),
            "rope_scaling: is \"linear\"; allowed: an object"),
        Arguments.of(
            llama().with("rope_parameters", Map.of("rope_type", "linear", "factor", 0)),
            "rope_parameters.factor: is 0; allowed: a number above 0"),
        Arguments.of(
            llama().with("rope_parameters", Map.of("partial_rotary_factor", 0.5)),
            "rope_parameters.partial_rotary_factor: is 0.5; allowed: 1"),
        Arguments.of(
            llama()
                .with(
                    "rope_scaling",
                    Map.of(
                        "rope_type", "llama3",
                        "factor", 8,
                        "low_freq_factor", 4,
                        "high_freq_factor", 4)),
            "rope_scaling.high_freq_factor: is 4; allowed: a number above low_freq_factor"));
  }

  @ParameterizedTest
  @MethodSource("badSettings")
  void aBadSettingIsRefused(RandomModel model, String message) {
    model.writeConfig(folder);
    assertRefused("config.json", message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "{\"model_type\":\"llama\",\"model_type\":\"llama\"}"})
  void aConfigThatIsNoJsonObjectIsRefused(String content) throws IOException {
    Files.writeString(folder.resolve("config.json"), content);
    assertRefused("config.json", "");
  }

  @Test
  void aMissingConfigIsRefused() {
    assertRefused("config.json", "it cannot be read: there is no such file");
  }

  @Test
  void aMissingFolderIsRefused() {
    assertThatThrownBy(() -> open(folder.resolve("none")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("none: there is no such folder");
  }

  @Test
  void aBadGenerationConfigIsRefused() throws IOException {
    llama().write(folder, 1);
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":\"</s>\"}");
    assertRefused("generation_config.json", "eos_token_id: is \"</s>\"; allowed: an integer");
  }

  @Test
  void aFolderWithoutWeightsIsRefused() {
    llama().writeConfig(folder);
    assertRefused("", "it holds no weights; allowed: model.safetensors, or");
  }

  static Stream<Arguments> spoiltTensors() {
    String layer = "model.layers.1.";
    return Stream.of(
        Arguments.of(
            "model.embed_tokens.weight",
            List.of(),
            "tensor \"model.embed_tokens.weight\" is missing"),
        Arguments.of("lm_head.weight", List.of(), "tensor \"lm_head.weight\" is missing"),
        Arguments.of(
            layer + "mlp.up_proj.weight",
            List.of(),
            "tensor \"model.layers.1.mlp.up_proj.weight\" is missing"),
        Arguments.of(
            layer + "mlp.up_proj.weight",
            List.of(36L, 44L),
            "\"model.layers.1.mlp.up_proj.weight\" has the shape [36, 44]; allowed: [44, 36]"),
        Arguments.of(
            "model.norm.weight",
            List.of(35L),
            "tensor \"model.norm.weight\" has the shape [35]; allowed: [36]"),
        Arguments.of(
            layer + "self_attn.k_proj.weight",
            List.of(64L * 36),
            "has the shape [2304]; allowed: [64, 36]"),
        Arguments.of(
            layer + "self_attn.q_proj.bias",
            List.of(128L),
            "tensor \"model.layers.1.self_attn.q_proj.bias\" is no part of a llama model"),
        Arguments.of(
            "model.layers.2.input_layernorm.weight",
            List.of(36L),
            "tensor \"model.layers.2.input_layernorm.weight\" is no part of a llama model"));
  }

  @ParameterizedTest
  @MethodSource("spoiltTensors")
  void aSpoiltTensorIsRefused(String tensor, List<Long> shape, String message) {
    RandomModel model = llama().write(folder, 1);
    model.spoil(folder, tensor, shape);
    assertRefused("", message);
  }

  @Test
  void weightsOfATypeThatIsNotComputedAreRefused() throws IOException {
    llama().write(folder, 1);
    Path file = folder.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int at = text.indexOf("F32", text.indexOf("model.embed_tokens.weight"));
    bytes[at] = (byte) 'I';
    Files.write(file, bytes);
    assertRefused(
        "model.safetensors",
        "tensor \"model.embed_tokens.weight\" has elements of type I32; allowed: F16, BF16, F32");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../model.safetensors", "/etc/passwd", "", ".hidden", "a/b.safetensors"})
  void anIndexMustNotLeadOutOfTheFolder(String file) throws IOException {
    writeIndex("{\"weight_map\":{\"model.norm.weight\":\"" + file + "\"}}");
    assertRefused(
        "model.safetensors.index.json",
        "weight_map.model.norm.weight: is \"" + file + "\"; allowed: the name of a file in");
  }

  @Test
  void anIndexThatListsAMissingFileIsRefused() throws IOException {
    writeIndex("{\"weight_map\":{\"model.norm.weight\":\"gone.safetensors\"}}");
    assertRefused("gone.safetensors", "it cannot be read: there is no such file");
  }

  @Test
  void anIndexThatListsATensorInTheWrongFileIsRefused() throws IOException {
    writeIndex("{\"weight_map\":{\"model.nose.weight\":\"part.safetensors\"}}");
    assertRefused(
        "model.safetensors.index.json",
        "weight_map.model.nose.weight: the tensor is not in " + folder);
  }

  @Test
  void anIndexWithoutAMapIsRefused() throws IOException {
    writeIndex("{\"metadata\":{}}");
    assertRefused("model.safetensors.index.json", "the key \"weight_map\" is missing");
  }

  private void writeIndex(String json) throws IOException {
    llama().write(folder, 1);
    Files.move(folder.resolve("model.safetensors"), folder.resolve("part.safetensors"));
    Files.writeString(folder.resolve("model.safetensors.index.json"), json);
  }

  private void assertRefused(String file, String message) {
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(folder.resolve(file).toString())
        .hasMessageContaining(message);
  }

  private static void open(Path folder) {
    LlamaModel.open(folder, Attentions.PROCESSOR).close();
  }
}
