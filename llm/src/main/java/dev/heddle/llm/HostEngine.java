package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/** Computes on the processor. Weights stay in their mapped files; activations are float32. */
final class HostEngine implements Engine {
  private final ModelConfig config;
  private final LlamaModel.Settings settings;
  private final MatrixProducts products;
  private final RowThreads threads;
  private final Decoder decoder;

  HostEngine(ModelConfig config, LlamaModel.Settings settings, DecoderWeights weights) {
    this.config = config;
    this.settings = settings;
    this.products = Backends.standard().openMatrixProducts(settings.backend(), settings.threads());
    this.threads = new RowThreads(settings.threads());
    this.decoder = new Decoder(config, weights, products, threads);
  }

  @Override
  public KeyValueCache newCache(int capacity, boolean kept) {
    return new HostKeyValueCache(config.attention(), capacity);
  }

  @Override
  public List<CacheKind> cacheKinds() {
    return List.of(CacheKind.HOST);
  }

  @Override
  public KeyValueCache newCache(CacheKind kind, int capacity) {
    return newCache(capacity, true);
  }

  @Override
  public CacheSize cacheSize(CacheKind kind, long capacity) {
    return new CacheSize(cacheBytes(capacity, true), 0);
  }

  @Override
  public long cacheBytes(long capacity, boolean kept) {
    return HostKeyValueCache.bytes(config.attention(), capacity);
  }

  @Override
  public long activationBytes(int tokens) {
    return Activations.bytes(config, tokens);
  }

  /** Indices are small beside what they save, and are not counted. */
  @Override
  public long scratchBytes(SparseAttention attention, int tokens, int keyTokens) {
    return 0;
  }

  @Override
  public long availableBytes() {
    return settings.memoryLimitBytes().orElseGet(MachineMemory::availableBytes);
  }

  @Override
  public Prefilled prefill(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] positions,
      PrefillProgress progress) {
    int firstNeeded = Arrays.stream(positions).min().orElse(tokens.length);
    try (Arena arena = Arena.ofShared()) {
      Activations memory = Activations.allocate(arena, config, tokens.length);
      Pass pass = new Pass(memory, onHost(cache), tokens.length, attention, false);
      List<PrefillReport> reports = decoder.run(tokens, pass, firstNeeded, progress);
      return new Prefilled(decoder.logits(pass, positions), reports);
    }
  }

  @Override
  public Logits decode(SparseAttention attention, KeyValueCache cache, int token) {
    try (Arena arena = Arena.ofShared()) {
      Activations memory = Activations.allocate(arena, config, 1);
      Pass pass = new Pass(memory, onHost(cache), 1, attention, true);
      decoder.run(new int[] {token}, pass, 0, PrefillProgress.SILENT);
      return decoder.logits(pass, new int[] {0});
    }
  }

  @Override
  public void close() {
    threads.close();
    products.close();
  }

  private static HostKeyValueCache onHost(KeyValueCache cache) {
    if (cache instanceof HostKeyValueCache onHost) {
      return onHost;
    }
    throw new InvalidInputException(
        "the cache is on a GPU, but the model computes on the processor");
  }
}
