package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import dev.heddle.kernels.MatrixProducts.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;

/**
 * Copies a decoder's weights from their mapped files to a device. A model whose files are float16
 * is computed in float16, every other in bfloat16: float32 weights are rounded to it, because its
 * range is theirs. Norms and biases become float32.
 */
final class DeviceWeightLoader {
  /** Numbers that are converted at once. */
  private static final int CONVERTED = 1 << 20;

  private final GpuStream stream;
  private final ModelConfig config;
  private final ElementType type;

  private DeviceWeightLoader(GpuStream stream, ModelConfig config, ElementType type) {
    this.stream = stream;
    this.config = config;
    this.type = type;
  }

  /** Loads all; what is taken on {@code stream} stays there until it is closed. */
  static DeviceWeights load(GpuStream stream, ModelConfig config, DecoderWeights weights) {
    return new DeviceWeightLoader(stream, config, computeType(weights)).load(weights);
  }

  /** The type that a model with these weights is computed in. */
  static ElementType computeType(DecoderWeights weights) {
    return weights.embedding().type() == ElementType.FLOAT16
        ? ElementType.FLOAT16
        : ElementType.BFLOAT16;
  }

  private DeviceWeights load(DecoderWeights weights) {
    GpuMatrix embedding = matrix(List.of(weights.embedding()));
    List<DeviceLayer> layers = weights.layers().stream().map(this::layer).toList();
    boolean tied = weights.output().memory().equals(weights.embedding().memory());
    DeviceWeights loaded =
        new DeviceWeights(
            type,
            embedding,
            layers,
            norm(weights.finalNorm()),
            tied ? embedding : matrix(List.of(weights.output())),
            floats(
                List.of(
                    new RotaryEmbedding(config.rotary(), config.attention().headDim())
                        .frequencies())));
    stream.await();
    return loaded;
  }

  private DeviceLayer layer(LayerWeights layer) {
    return new DeviceLayer(
        norm(layer.attentionNorm()),
        matrix(
            Stream.of(layer.query(), layer.key(), layer.value()).map(Projection::weight).toList()),
        bias(layer.query(), layer.key(), layer.value()),
        norm(layer.queryNorm()),
        norm(layer.keyNorm()),
        matrix(List.of(layer.output().weight())),
        bias(layer.output()),
        norm(layer.feedForwardNorm()),
        matrix(List.of(layer.gate().weight(), layer.up().weight())),
        bias(layer.gate(), layer.up()),
        matrix(List.of(layer.down().weight())),
        bias(layer.down()));
  }

  private DeviceNorm norm(RmsNorm norm) {
    return new DeviceNorm(floats(List.of(norm.weight())), config.normEpsilon());
  }

  private DeviceNorm norm(HeadNorm norm) {
    return norm.norm().map(this::norm).orElse(new DeviceNorm(0, config.normEpsilon()));
  }

  private long bias(Projection... projections) {
    List<float[]> biases = Stream.of(projections).map(Projection::bias).toList();
    return biases.getFirst().length == 0 ? 0 : floats(biases);
  }

  private long floats(List<float[]> arrays) {
    int count = arrays.stream().mapToInt(array -> array.length).sum();
    long address = stream.allocate((long) count * Float.BYTES);
    long next = address;
    for (float[] array : arrays) {
      stream.upload(MemorySegment.ofArray(array), next);
      next += (long) array.length * Float.BYTES;
    }
    return address;
  }

  /** The rows of all {@code weights}, which have the same inputs, one after the other. */
  private GpuMatrix matrix(List<Weight> weights) {
    int outputs = weights.stream().mapToInt(Weight::outputs).sum();
    int inputs = weights.getFirst().inputs();
    long address = stream.allocate((long) outputs * inputs * type.bytes());
    long next = address;
    for (Weight weight : weights) {
      upload(weight, next);
      next += (long) weight.outputs() * inputs * type.bytes();
    }
    return GpuMatrix.contiguous(address, type, outputs, inputs);
  }

  private void upload(Weight weight, long address) {
    long count = (long) weight.outputs() * weight.inputs();
    if (weight.type() == type) {
      stream.upload(weight.memory().asSlice(0, count * type.bytes()), address);
      return;
    }
    float[] numbers = new float[(int) Math.min(CONVERTED, count)];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment converted = arena.allocate((long) numbers.length * type.bytes());
      for (long done = 0; done < count; done += numbers.length) {
        int some = (int) Math.min(numbers.length, count - done);
        weight.type().load(weight.memory(), done, numbers, 0, some);
        type.store(numbers, 0, converted, 0, some);
        long bytes = (long) some * type.bytes();
        stream.upload(converted.asSlice(0, bytes), address + done * type.bytes());
      }
    }
  }
}
