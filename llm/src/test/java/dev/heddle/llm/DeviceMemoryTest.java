package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a model lays out in device memory, on a device that is the process's own memory. */
class DeviceMemoryTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void weightsLieBehindEachOtherInTheTypeThatIsComputedWith(ElementType stored) {
    new RandomModel("qwen3", stored, 2, 2)
        .with("attention_bias", true)
        .with("tie_word_embeddings", true)
        .write(folder, 3);
    ModelConfig config = ModelConfig.read(folder);
    ElementType type = stored == ElementType.FLOAT16 ? ElementType.FLOAT16 : ElementType.BFLOAT16;
    try (WeightFiles files = WeightFiles.open(folder);
        HostStream stream = new HostStream()) {
      DecoderWeights host = new WeightReader(files, config).read();
      DeviceWeights device = DeviceWeightLoader.load(stream, config, host);
      assertThat(device.type()).isEqualTo(type);
      assertThat(device.output()).isEqualTo(device.embedding());
      assertRows(device.embedding(), type, List.of(host.embedding()));
      for (int i = 0; i < device.layers().size(); i++) {
        LayerWeights expected = host.layers().get(i);
        DeviceLayer layer = device.layers().get(i);
        assertRows(
            layer.queryKeyValue(),
            type,
            List.of(expected.query().weight(), expected.key().weight(), expected.value().weight()));
        assertRows(layer.gateUp(), type, List.of(expected.gate().weight(), expected.up().weight()));
        assertRows(layer.output(), type, List.of(expected.output().weight()));
        assertRows(layer.down(), type, List.of(expected.down().weight()));
        float[] biases =
            floats(layer.queryKeyValueBias(), config.queryWidth() + 2 * config.keyValueWidth());
        assertThat(biases).startsWith(expected.query().bias()).endsWith(expected.value().bias());
        assertThat(floats(layer.queryNorm().weight(), 32))
            .containsExactly(expected.queryNorm().norm().orElseThrow().weight());
        assertThat(layer.downBias()).isZero();
      }
    }
  }

  private static void assertRows(GpuMatrix found, ElementType type, List<Weight> expected) {
    assertThat(found.rows()).isEqualTo(expected.stream().mapToInt(Weight::outputs).sum());
    assertThat(found.type()).isEqualTo(type);
    long at = 0;
    for (Weight weight : expected) {
      assertThat(weight.inputs()).isEqualTo(found.columns());
      for (long i = 0; i < (long) weight.outputs() * weight.inputs(); i++) {
        float number = type.load(HostStream.memory(found.address(), found.bytes()), at++);
        assertThat(number).isEqualTo(type.round(weight.type().load(weight.memory(), i)));
      }
    }
  }

  private static float[] floats(long address, int count) {
    float[] numbers = new float[count];
    ElementType.FLOAT32.load(
        HostStream.memory(address, (long) count * Float.BYTES), 0, numbers, 0, count);
    return numbers;
  }

  /** Nothing lies on anything else, and nothing outside of what is asked for. */
  @ParameterizedTest
  @ValueSource(ints = {1, 63, 16_384, 16_385, 1_048_576})
  void activationsDoNotOverlap(int tokens) {
    ModelConfig config = KnownModel.named("llama-3-8b").config();
    long first = 1L << 40;
    DeviceActivations memory = DeviceActivations.at(first, config, ElementType.BFLOAT16, tokens);
    List<GpuMatrix> parts =
        Stream.of(
                memory.tokens(),
                memory.hidden(),
                memory.angles(),
                memory.queries(),
                memory.attended(),
                memory.normalised(),
                memory.gateUp(),
                memory.logits(),
                memory.last())
            .sorted(Comparator.comparingLong(GpuMatrix::address))
            .toList();
    long end = first;
    for (GpuMatrix part : parts) {
      assertThat(part.address()).isGreaterThanOrEqualTo(end);
      assertThat(part.address() % 256).isZero();
      end = part.address() + part.bytes();
    }
    assertThat(memory.projected().address()).isEqualTo(memory.gateUp().address());
    assertThat(memory.projected().bytes()).isLessThanOrEqualTo(memory.gateUp().bytes());
    long bytes = DeviceActivations.bytes(config, ElementType.BFLOAT16, tokens);
    assertThat(end).isLessThanOrEqualTo(first + bytes);
    assertThat(memory.scratch() + DecodeKernels.scratchBytes(config.attention()))
        .isLessThanOrEqualTo(first + bytes);
  }

  @Test
  void aMillionTokensFitBesideTheWeightsOfEightBillion() {
    ModelConfig config = KnownModel.named("llama-3-8b").config();
    int tokens = 1 << 20;
    long weights = 16_100L << 20;
    long activations = DeviceActivations.bytes(config, ElementType.BFLOAT16, tokens);
    long cache =
        new DeviceCacheSizes(config.attention(), ElementType.BFLOAT16).bytes(tokens, false);
    assertThat(weights + activations + cache).isBetween(50L << 30, 60L << 30);
  }

  @Test
  void weightsThatDoNotFitAreRefusedBeforeAnyIsCopied() {
    new RandomModel("llama", ElementType.FLOAT32, 2, 4).write(folder, 3);
    ModelConfig config = ModelConfig.read(folder);
    LlamaModel.Settings settings = LlamaModel.Settings.standard();
    // 2 bytes x (2 layers x 36 x (2 x 256 + 2 x 64 + 3 x 44) + 2 x 50 x 36)
    long needed = 2L * (2 * 36 * (2 * 256 + 2 * 64 + 3 * 44) + 2 * 50 * 36);
    assertThat(DeviceWeights.bytes(config)).isEqualTo(needed);
    HostStream stream = new HostStream().withFree(needed - 1);
    try (WeightFiles files = WeightFiles.open(folder)) {
      DecoderWeights weights = new WeightReader(files, config).read();
      assertThatThrownBy(() -> DeviceEngine.open(config, settings, weights, stream))
          .isInstanceOf(DeviceMemoryException.class)
          .hasMessageStartingWith("the model needs 1 MiB of device memory, but");
      assertThat(stream.live()).isZero();
      HostStream enough = new HostStream().withFree(needed);
      DeviceEngine.open(config, settings, weights, enough).close();
      assertThat(enough.live()).isZero();
    }
  }

  @Test
  void headDimsThatAttentionDoesNotTakeAreRefused() {
    new RandomModel("llama", ElementType.FLOAT32, 2, 4).with("head_dim", 36).write(folder, 3);
    ModelConfig config = ModelConfig.read(folder);
    try (WeightFiles files = WeightFiles.open(folder);
        HostStream stream = new HostStream()) {
      DecoderWeights weights = new WeightReader(files, config).read();
      assertThatThrownBy(
              () -> DeviceEngine.open(config, LlamaModel.Settings.standard(), weights, stream))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(
              "the model's head dim is 36; a GPU takes 8 to 256 in steps of 8; use --backend vector");
    }
  }

  @Test
  void knownModelsAreThose() {
    assertThat(KnownModel.all())
        .extracting(KnownModel::name)
        .containsExactly("llama-3-8b", "llama-3.2-1b", "qwen2.5-7b");
    assertThatThrownBy(() -> KnownModel.named("abacus"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "the shape 'abacus' is not known; allowed: llama-3-8b, llama-3.2-1b, qwen2.5-7b");
  }

  @Test
  void randomWeightsAreMadeOfEverySize() {
    new RandomModel("llama", ElementType.BFLOAT16, 2, 4).write(folder, 3);
    ModelConfig config = ModelConfig.read(folder);
    try (HostStream stream = new HostStream()) {
      DeviceWeights weights = new RandomDeviceWeights(stream, config).make();
      DeviceLayer layer = weights.layers().getFirst();
      int width = config.queryWidth() + 2 * config.keyValueWidth();
      assertThat(layer.queryKeyValue().rows()).isEqualTo(width);
      float[] bias = floats(layer.queryKeyValueBias(), width);
      double[] products = new double[2];
      for (int i = 0; i < 32; i++) { // the first query head and the first key head
        products[0] += (double) bias[config.queryWidth() + i] * bias[config.queryWidth() + i];
        assertThat(bias[width - 1 - i]).isZero();
      }
      // The score at distance 0, before Q's second band.
      assertThat(products[0] / Math.sqrt(32))
          .isCloseTo(10, org.assertj.core.data.Offset.offset(1e-4));
      assertThat(stream.launches()).containsOnly("heddle_random_bf16");
      assertThat(stream.launches()).hasSize(2 + 2 * 5);
    }
  }
}
