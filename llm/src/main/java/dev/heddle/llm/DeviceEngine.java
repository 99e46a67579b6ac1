package dev.heddle.llm;

import dev.heddle.api.GpuLayer;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.GpuCopies;
import dev.heddle.kernels.GpuRecording;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.ChunkedPrefill.Chunk;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
  private volatile boolean replaying = true;
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
    if (kept) {
      return newCache(CacheKind.DEVICE, capacity);
    }
    LayerPlanes planes = LayerPlanes.plain(shape(), weights.type(), capacity);
    return new PlainCache(
        this, weights.type(), CacheKind.DEVICE, new ResidentLayers(this, planes, 1), capacity);
  }

  @Override
  public long cacheBytes(long capacity, boolean kept) {
    return caches().bytes(capacity, kept);
  }

  @Override
  public List<CacheKind> cacheKinds() {
    return List.of(CacheKind.values());
  }

  @Override
  public DeviceKeyValueCache newCache(CacheKind kind, int capacity) {
    LayerPlanes planes = caches().planes(kind, capacity);
    int layers = shape().layers();
    LayerMemory memory =
        kind.isOnHost()
            ? new StreamedLayers(this, planes, layers)
            : new ResidentLayers(this, planes, layers);
    return kind.isNarrow()
        ? new NarrowCache(this, weights.type(), kind, memory, capacity)
        : new PlainCache(this, weights.type(), kind, memory, capacity);
  }

  @Override
  public CacheSize cacheSize(CacheKind kind, long capacity) {
    return caches().size(kind, capacity);
  }

  private DeviceCacheSizes caches() {
    return new DeviceCacheSizes(shape(), weights.type());
  }

  /** The attention that the model has. */
  ModelShape shape() {
    return config.attention();
  }

  /** The kernels that fill and read caches. */
  DecodeKernels cacheKernels() {
    return decoder.cacheKernels();
  }

  GpuCopies openCopies(long hostBytes) {
    turn.lock();
    try {
      return stream.openCopies(hostBytes);
    } finally {
      turn.unlock();
    }
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
              new DevicePass(memory, own(cache), tokens.length, Optional.of(attention), times);
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
              DevicePass pass =
                  new DevicePass(memory, cache, part.length, Optional.of(attention), times);
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
    DeviceKeyValueCache own = own(cache);
    turn.lock();
    try {
      return own.tokenPass().next(token, replaying);
    } finally {
      turn.unlock();
    }
  }

  /** Whether the launches for a token are recorded and replayed; for tests and measurements. */
  void replay(boolean replays) {
    replaying = replays;
  }

  /** Takes the memory for tokens that are written one by one behind {@code cache}. */
  DeviceTokenPass newTokenPass(DeviceKeyValueCache cache) {
    long address = allocate(activationBytes(1));
    DeviceActivations memory = DeviceActivations.at(address, config, weights.type(), 1);
    DevicePass pass = new DevicePass(memory, cache, 1, Optional.empty(), PartTimes.none(stream));
    return new DeviceTokenPass(this, decoder, stream, pass, address);
  }

  /** Gives up a recording; nothing after {@link #close}, which gives up all. */
  void close(GpuRecording recording) {
    unlessClosed(recording::close);
  }

  /** Waits for copies and gives their memory back; nothing after {@link #close}. */
  void close(GpuCopies copies) {
    unlessClosed(copies::close);
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
    unlessClosed(() -> stream.free(address));
  }

  private void unlessClosed(Runnable work) {
    turn.lock();
    try {
      if (!closed) {
        work.run();
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
