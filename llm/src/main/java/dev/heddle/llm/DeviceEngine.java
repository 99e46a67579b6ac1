package dev.heddle.llm;

import dev.heddle.api.GpuLayer;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.ChunkedPrefill.Chunk;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

/** Computes on a GPU, one pass at a time. */
final class DeviceEngine implements Engine {
  /** Attention loads rows in pieces of so many numbers. */
  private static final int HEAD_DIM_STEP = 8;

  private static final int GREATEST_HEAD_DIM = 256;

  private final ModelConfig config;
  private final LlamaModel.Settings settings;
  private final GpuStream stream;
  private final DeviceWeights weights;
  private final DeviceDecoder decoder;
  private final ReentrantLock turn = new ReentrantLock();
  private boolean closed;

  private DeviceEngine(
      ModelConfig config, LlamaModel.Settings settings, GpuStream stream, DeviceWeights weights) {
    this.config = config;
    this.settings = settings;
    this.stream = stream;
    this.weights = weights;
    this.decoder = new DeviceDecoder(config, weights, stream);
  }

  /** Uploads the weights. Takes over {@code stream}, and closes it where this fails. */
  static DeviceEngine open(
      ModelConfig config, LlamaModel.Settings settings, DecoderWeights weights, GpuStream stream) {
    try {
      requireSupported(config);
      DeviceWeights.requireMemory(config, stream);
      return new DeviceEngine(
          config, settings, stream, DeviceWeightLoader.load(stream, config, weights));
    } catch (RuntimeException failure) {
      stream.close();
      throw failure;
    }
  }

  /** Makes random weights on the device. Takes over {@code stream} as {@link #open} does. */
  static DeviceEngine random(ModelConfig config, LlamaModel.Settings settings, GpuStream stream) {
    try {
      DeviceWeights.requireMemory(config, stream);
      return new DeviceEngine(
          config, settings, stream, new RandomDeviceWeights(stream, config).make());
    } catch (RuntimeException failure) {
      stream.close();
      throw failure;
    }
  }

  private static void requireSupported(ModelConfig config) {
    int headDim = config.attention().headDim();
    if (headDim % HEAD_DIM_STEP != 0 || headDim > GREATEST_HEAD_DIM) {
      throw new InvalidInputException(
          "the model's head dim is %d; a GPU takes %d to %d in steps of %d; use --backend vector"
              .formatted(headDim, HEAD_DIM_STEP, GREATEST_HEAD_DIM, HEAD_DIM_STEP));
    }
  }

  @Override
  public DeviceKeyValueCache newCache(int capacity, boolean kept) {
    return new DeviceKeyValueCache(this, config.attention(), weights.type(), capacity, kept);
  }

  @Override
  public long cacheBytes(long capacity, boolean kept) {
    return DeviceKeyValueCache.bytes(config.attention(), weights.type(), capacity, kept);
  }

  @Override
  public long activationBytes(int tokens) {
    return DeviceActivations.bytes(config, weights.type(), tokens);
  }

  @Override
  public long availableBytes() {
    turn.lock();
    try {
      return Math.min(settings.memoryLimitBytes().orElse(Long.MAX_VALUE), stream.freeBytes());
    } finally {
      turn.unlock();
    }
  }

  @Override
  public Prefilled prefill(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] positions,
      PrefillProgress progress) {
    int firstNeeded = Arrays.stream(positions).min().orElse(tokens.length);
    return inMemory(
        tokens.length,
        memory -> {
          PartTimes times = PartTimes.none(stream);
          DevicePass pass =
              new DevicePass(memory, own(cache), tokens.length, attention, false, times);
          List<PrefillReport> reports = decoder.run(tokens, pass, firstNeeded, progress);
          return new Prefilled(decoder.logits(pass, positions), reports);
        });
  }

  /**
   * Reads {@code tokens} in chunks without keeping their keys and values longer than that, and says
   * what took the time.
   */
  PrefillTimes measure(SparseAttention attention, int[] tokens, int chunkTokens) {
    long start = System.nanoTime();
    try (DeviceKeyValueCache cache = newCache(tokens.length, chunkTokens < tokens.length)) {
      return inMemory(
          Math.min(chunkTokens, tokens.length),
          memory -> {
            PartTimes times = PartTimes.of(stream);
            List<PrefillReport> reports = List.of();
            for (Chunk chunk : Chunk.of(tokens.length, chunkTokens)) {
              int[] part = Arrays.copyOfRange(tokens, chunk.first(), chunk.end());
              int[] last = chunk.end() == tokens.length ? new int[] {part.length - 1} : new int[0];
              DevicePass pass = new DevicePass(memory, cache, part.length, attention, false, times);
              int firstNeeded = Arrays.stream(last).min().orElse(part.length);
              reports =
                  ChunkedPrefill.sum(
                      reports, decoder.run(part, pass, firstNeeded, PrefillProgress.SILENT));
              decoder.logits(pass, last);
            }
            stream.await();
            return PrefillTimes.of(System.nanoTime() - start, times.nanos(), reports);
          });
    }
  }

  @Override
  public long scratchBytes(SparseAttention attention, int tokens, int keyTokens) {
    GpuLayer sizes = DevicePass.sizes(config.attention(), weights.type(), tokens, keyTokens);
    return IntStream.range(0, config.attention().layers())
        .mapToLong(layer -> attention.scratchBytes(layer, sizes))
        .max()
        .orElse(0);
  }

  @Override
  public Logits decode(SparseAttention attention, KeyValueCache cache, int token) {
    return inMemory(
        1,
        memory -> {
          PartTimes times = PartTimes.none(stream);
          DevicePass pass = new DevicePass(memory, own(cache), 1, attention, true, times);
          decoder.run(new int[] {token}, pass, 0, PrefillProgress.SILENT);
          return decoder.logits(pass, new int[] {0});
        });
  }

  @Override
  public void close() {
    turn.lock();
    try {
      closed = true;
      stream.close();
    } finally {
      turn.unlock();
    }
  }

  long allocate(long bytes) {
    turn.lock();
    try {
      return stream.allocate(bytes);
    } finally {
      turn.unlock();
    }
  }

  /** Gives memory back; nothing after {@link #close}, which gives back all. */
  void free(long address) {
    turn.lock();
    try {
      if (!closed) {
        stream.free(address);
      }
    } finally {
      turn.unlock();
    }
  }

  /** What is computed in the memory of one pass. */
  @FunctionalInterface
  private interface PassTask<T> {
    T run(DeviceActivations memory);
  }

  private <T> T inMemory(int tokens, PassTask<T> task) {
    turn.lock();
    try {
      long address = stream.allocate(activationBytes(tokens));
      try {
        return task.run(DeviceActivations.at(address, config, weights.type(), tokens));
      } finally {
        stream.free(address);
      }
    } finally {
      turn.unlock();
    }
  }

  private DeviceKeyValueCache own(KeyValueCache cache) {
    if (cache instanceof DeviceKeyValueCache onDevice && onDevice.isOf(this)) {
      return onDevice;
    }
    throw new InvalidInputException("the cache was made by another model");
  }
}
