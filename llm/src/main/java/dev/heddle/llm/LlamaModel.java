package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuStream;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A decoder of the Llama family. On the processor weights stay in their mapped files and
 * activations are float32; on a GPU weights are in its memory, and activations have 16 bits beside
 * a float32 residual stream: bfloat16, or float16 where the files are. Attention is not part of it:
 * each call is given the {@link SparseAttention} to use, so that one open model can read the same
 * text densely and sparsely.
 *
 * <pre>{@code
 * try (LlamaModel model = LlamaModel.open(folder, LlamaModel.Settings.standard());
 *     KeyValueCache cache = model.newCache(prompt.length + 100)) {
 *   Prefilled prefilled = model.prefill(attention, cache, prompt, PrefillProgress.SILENT);
 *   int next = prefilled.logits().greatest(0);
 *   Logits logits = model.decode(attention, cache, next);
 * }
 * }</pre>
 *
 * <p>Safe for use by several threads, each with its own cache.
 */
public final class LlamaModel implements AutoCloseable {
  private final ModelConfig config;
  private final WeightFiles files;
  private final Engine engine;
  private final int chunkTokens;
  private final PromptCheck check;
  private final CachePlanner caches;

  private LlamaModel(ModelConfig config, WeightFiles files, Engine engine, Settings settings) {
    this.config = config;
    this.files = files;
    this.engine = engine;
    this.chunkTokens = settings.chunkTokens();
    this.check = new PromptCheck(config);
    this.caches = new CachePlanner(engine, settings.cacheKind());
  }

  /**
   * How to compute.
   *
   * @param backend the backend that computes, or {@link Backends#AUTO}: on a GPU it computes
   *     everything, and its attention is that of a façade on the same GPU
   * @param threads threads to compute with, at least 1
   * @param memoryLimitBytes memory that caches and activations may take; empty for what the machine
   *     has available
   * @param chunkTokens most tokens of a prompt that are read at once, at least 1. A longer prompt
   *     is read in chunks of so many, each attending to all tokens before it: activations are those
   *     of a chunk, but keys and values of all layers must be kept. Each chunk has indices of its
   *     own; {@link dev.heddle.api.SparsePattern#inChunks} says what that changes.
   * @param cacheKind where keys and values are kept; empty for the first kind that fits
   */
  public record Settings(
      String backend,
      int threads,
      OptionalLong memoryLimitBytes,
      int chunkTokens,
      Optional<CacheKind> cacheKind) {
    /** Chunks of this length are as long as any prompt: it is read in one pass. */
    public static final int ONE_PASS = Integer.MAX_VALUE;

    /**
     * Checks the values that are not looked up.
     *
     * @throws InvalidInputException if a chunk would have no token
     */
    public Settings {
      if (chunkTokens < 1) {
        throw new InvalidInputException(
            "a chunk has " + chunkTokens + " tokens; allowed: an integer from 1");
      }
    }

    /** The best backend on all processors, with all of the machine's memory, in one pass. */
    public static Settings standard() {
      return new Settings(
          Backends.AUTO,
          Runtime.getRuntime().availableProcessors(),
          OptionalLong.empty(),
          ONE_PASS,
          Optional.empty());
    }

    /** The same with another backend. */
    public Settings withBackend(String name) {
      return new Settings(name, threads, memoryLimitBytes, chunkTokens, cacheKind);
    }

    /** The same with another number of threads. */
    public Settings withThreads(int count) {
      return new Settings(backend, count, memoryLimitBytes, chunkTokens, cacheKind);
    }

    /** The same with at most {@code bytes} for caches and activations. */
    public Settings withMemoryLimit(long bytes) {
      return new Settings(backend, threads, OptionalLong.of(bytes), chunkTokens, cacheKind);
    }

    /** The same with prompts that are read in chunks of {@code tokens}. */
    public Settings withChunk(int tokens) {
      return new Settings(backend, threads, memoryLimitBytes, tokens, cacheKind);
    }

    /** The same with keys and values kept as {@code kind} says. */
    public Settings withCacheKind(CacheKind kind) {
      return new Settings(backend, threads, memoryLimitBytes, chunkTokens, Optional.of(kind));
    }
  }

  /**
   * Opens the model in {@code folder}, in the Hugging Face layout.
   *
   * @throws InvalidInputException if a file is missing, malformed, or has other sizes than
   *     config.json states; names the file, the key or tensor, the value and what is allowed
   * @throws dev.heddle.kernels.BackendUnavailableException if a backend is named that cannot run
   *     here, or a GPU without cuBLASLt
   * @throws dev.heddle.kernels.DeviceMemoryException if the weights do not fit the GPU
   */
  public static LlamaModel open(Path folder, Settings settings) {
    ModelConfig config = ModelFolder.open(folder).config();
    WeightFiles files = WeightFiles.open(folder);
    try {
      return new LlamaModel(config, files, engine(config, settings, files), settings);
    } catch (RuntimeException failure) {
      files.close();
      throw failure;
    }
  }

  /**
   * A model with random weights that are made on the GPU: nothing is to be learnt from what it
   * writes, but how fast it reads. Biases of Q and K give each head bands of offsets, as trained
   * heads have them, because numbers without any structure make every sparse index dense.
   *
   * @param config the model's sizes; its biases of Q, K and V are there whatever it says
   * @throws InvalidInputException if the settings' backend is not on a GPU
   * @throws dev.heddle.kernels.BackendUnavailableException if it cannot run a model here
   * @throws dev.heddle.kernels.DeviceMemoryException if the weights do not fit
   */
  public static LlamaModel random(ModelConfig config, Settings settings) {
    GpuStream stream =
        Backends.standard()
            .openStream(settings.backend())
            .orElseThrow(() ->
                new InvalidInputException(
                    "random weights are made on a GPU alone; allowed: --backend cuda where there is"
                        + " one"));
    DeviceEngine engine = DeviceEngine.random(config, settings, stream);
    return new LlamaModel(config, WeightFiles.none(), engine, settings);
  }

  private static Engine engine(ModelConfig config, Settings settings, WeightFiles files) {
    DecoderWeights weights = new WeightReader(files, config).read();
    Optional<GpuStream> stream = Backends.standard().openStream(settings.backend());
    return stream.isPresent()
        ? DeviceEngine.open(config, settings, weights, stream.get())
        : new HostEngine(config, settings, weights);
  }

  /** What config.json says of the model. */
  public ModelConfig config() {
    return config;
  }

  /** Most tokens of a prompt that are read at once. */
  public int chunkTokens() {
    return chunkTokens;
  }

  /** Tokens that a text may have: the model's positions, or its window if that is shorter. */
  public int maxTokens() {
    return Math.min(config.maxPositions(), config.slidingWindow().orElse(Integer.MAX_VALUE));
  }

  /** The attention sizes that the façade given to {@link #prefill} must have. */
  public ModelShape attentionShape() {
    return config.attention();
  }

  /**
   * An empty cache for this model, of the kind that the settings name, or the first that leaves
   * room to read a text that fills it.
   *
   * @param capacity tokens that it can hold: prompt and answer together
   * @throws InvalidInputException if that is below 1, more than the model has positions for, or
   *     more than memory holds
   */
  public KeyValueCache newCache(int capacity) {
    check.positions("a cache of " + capacity + " tokens", capacity);
    return caches.open(memoryEstimate(capacity, 0), capacity);
  }

  /**
   * The same with the kind that fits a prompt and an answer of these lengths.
   *
   * @throws InvalidInputException as {@link #requireReadable(SparseAttention, int, int)}
   */
  public KeyValueCache newCache(SparseAttention attention, int promptTokens, int newTokens) {
    int capacity = Math.max(1, promptTokens + newTokens);
    check.positions("a cache of " + capacity + " tokens", capacity);
    return caches.open(memoryEstimate(attention, promptTokens, newTokens), capacity);
  }

  /**
   * A cache of a certain kind, whatever the settings say.
   *
   * @throws InvalidInputException as {@link #newCache(int)}, or if the model has no such cache
   */
  public KeyValueCache newCache(CacheKind kind, int capacity) {
    check.positions("a cache of " + capacity + " tokens", capacity);
    CachePlanner planner = new CachePlanner(engine, Optional.of(kind));
    return planner.open(new MemoryEstimate(0, 0), capacity);
  }

  /** What a prompt and an answer of these lengths need with each kind of cache. */
  public CachePlan cachePlan(SparseAttention attention, int promptTokens, int newTokens) {
    return caches.plan(
        memoryEstimate(attention, promptTokens, newTokens), (long) promptTokens + newTokens);
  }

  /** The memory that a prompt and an answer of these lengths take with the preferred cache. */
  public MemoryEstimate memoryEstimate(int promptTokens, int newTokens) {
    return new MemoryEstimate(
        engine.cacheBytes((long) promptTokens + newTokens, true),
        engine.activationBytes(Math.min(promptTokens, chunkTokens)));
  }

  /** The same with what {@code attention} takes on a GPU for its indices. */
  public MemoryEstimate memoryEstimate(SparseAttention attention, int promptTokens, int newTokens) {
    return memoryEstimate(promptTokens, newTokens)
        .plus(engine.scratchBytes(attention, Math.min(promptTokens, chunkTokens), promptTokens));
  }

  /** The memory that {@link #prefillOnly} takes. */
  public MemoryEstimate prefillOnlyEstimate(SparseAttention attention, int promptTokens) {
    return prefillOnlyEstimate(attention, promptTokens, chunkTokens);
  }

  /** The same in chunks of another length than the model was opened with. */
  public MemoryEstimate prefillOnlyEstimate(
      SparseAttention attention, int promptTokens, int chunkTokens) {
    int atOnce = Math.min(promptTokens, chunkTokens);
    return new MemoryEstimate(
        engine.cacheBytes(promptTokens, atOnce < promptTokens),
        engine.activationBytes(atOnce) + engine.scratchBytes(attention, atOnce, promptTokens));
  }

  /**
   * Refuses a prompt that the model cannot read here; called before work starts.
   *
   * @throws InvalidInputException naming the need and the limit, if the prompt is longer than the
   *     model's positions or window, or if prompt and answer do not fit memory
   */
  public void requireReadable(int promptTokens, int newTokens) {
    String what = "a prompt of %d tokens with %d new ones".formatted(promptTokens, newTokens);
    check.positions("a prompt of " + promptTokens + " tokens", promptTokens);
    caches
        .plan(memoryEstimate(promptTokens, newTokens), (long) promptTokens + newTokens)
        .require(what);
  }

  /**
   * The same with what {@code attention} takes on a GPU for its indices.
   *
   * @throws InvalidInputException as {@link #requireReadable(int, int)}
   */
  public void requireReadable(SparseAttention attention, int promptTokens, int newTokens) {
    requireReadable(promptTokens, newTokens);
    String what = "a prompt of %d tokens with %d new ones".formatted(promptTokens, newTokens);
    cachePlan(attention, promptTokens, newTokens).require(what);
  }

  /**
   * Reads {@code tokens} for the logits behind the last one alone. On a GPU keys and values of a
   * layer are dropped when it is done, so that longer prompts fit; not where the prompt is read in
   * chunks, since those behind read them.
   *
   * @throws InvalidInputException if a token is unknown, or the text longer than the model's
   *     positions, window or memory; before any work
   */
  public Prefilled prefillOnly(SparseAttention attention, int[] tokens, PrefillProgress progress) {
    requirePrefillOnly(attention, tokens, chunkTokens);
    int[] last = {tokens.length - 1};
    try (KeyValueCache cache = engine.newCache(tokens.length, chunkTokens < tokens.length)) {
      return new ChunkedPrefill(engine, chunkTokens, progress).read(attention, cache, tokens, last);
    }
  }

  /**
   * Reads {@code tokens}, which follow those in the cache, in one pass or in the chunks that the
   * model was opened for. Ends early when the calling thread is interrupted, which it then still
   * is.
   *
   * @param attention computes the attention; its shape is {@link #attentionShape}
   * @param cache receives their keys and values; unchanged if this fails
   * @param tokens token ids, at least 1
   * @return the logits behind the last token, and what attention computed
   * @throws InvalidInputException if a token is unknown, the cache too small or another model's, or
   *     the text longer than the model's positions, window or memory
   * @throws dev.heddle.api.HeddleException if the thread is interrupted
   */
  public Prefilled prefill(
      SparseAttention attention, KeyValueCache cache, int[] tokens, PrefillProgress progress) {
    return prefillAt(attention, cache, tokens, new int[] {tokens.length - 1}, progress);
  }

  /**
   * The same, with the logits at chosen places.
   *
   * @param positions indices into {@code tokens}, in any order
   */
  public Prefilled prefillAt(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] positions,
      PrefillProgress progress) {
    check.room(cache, tokens);
    PromptCheck.among(tokens, positions);
    int atOnce = Math.min(tokens.length, chunkTokens);
    long scratch = engine.scratchBytes(attention, atOnce, cache.tokens() + tokens.length);
    new MemoryEstimate(0, engine.activationBytes(atOnce) + scratch)
        .requireWithin("a prompt of " + tokens.length + " tokens", engine.availableBytes());
    return new ChunkedPrefill(engine, chunkTokens, progress)
        .read(attention, cache, tokens, positions);
  }

  /**
   * Reads one token that follows those in the cache, every head reading all keys.
   *
   * @return the logits behind it
   * @throws InvalidInputException as {@link #prefill}
   */
  public Logits decode(SparseAttention attention, KeyValueCache cache, int token) {
    check.room(cache, new int[] {token});
    Interruptions.check();
    return engine.decode(attention, cache, token);
  }

  /**
   * Reads {@code tokens} on the GPU without keeping their keys and values, and says what took the
   * time. Those of a chunk stay where another follows.
   *
   * @param chunkTokens tokens that are read at once, at least 1; {@link Settings#ONE_PASS} for all
   * @throws InvalidInputException as {@link #prefill}, or if the model does not compute on a GPU
   */
  public PrefillTimes measurePrefill(SparseAttention attention, int[] tokens, int chunkTokens) {
    DeviceEngine device = onDevice();
    requirePrefillOnly(attention, tokens, chunkTokens);
    return device.measure(attention, tokens, chunkTokens);
  }

  private void requirePrefillOnly(SparseAttention attention, int[] tokens, int chunkTokens) {
    check.tokens(tokens);
    String what = "a prompt of " + tokens.length + " tokens";
    check.positions(what, tokens.length);
    prefillOnlyEstimate(attention, tokens.length, chunkTokens)
        .requireWithin(what, engine.availableBytes());
  }

  /** Whether launches for new tokens on a GPU are replayed; for tests and measurements. */
  void replayLaunches(boolean replays) {
    onDevice().replay(replays);
  }

  private DeviceEngine onDevice() {
    if (engine instanceof DeviceEngine device) {
      return device;
    }
    throw new InvalidInputException(
        "the model computes on the processor; allowed: --backend cuda where there is a GPU");
  }

  /** Unmaps the weights and gives back threads and device memory. Calls after this fail. */
  @Override
  public void close() {
    engine.close();
    files.close();
  }

  /** Memory that caches and activations may take now, where the model computes. */
  public long availableBytes() {
    return engine.availableBytes();
  }
}
