package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * A decoder of the Llama family on the CPU. Weights stay in their mapped files; activations are
 * float32. Attention is not part of it: each call is given the {@link SparseAttention} to use, so
 * that one open model can read the same text densely and sparsely.
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
  private final Settings settings;
  private final WeightFiles files;
  private final MatrixProducts products;
  private final RowThreads threads;
  private final Decoder decoder;

  private LlamaModel(
      ModelConfig config, Settings settings, WeightFiles files, DecoderWeights weights) {
    this.config = config;
    this.settings = settings;
    this.files = files;
    this.products = Backends.standard().openMatrixProducts(settings.backend(), settings.threads());
    this.threads = new RowThreads(settings.threads());
    this.decoder = new Decoder(config, weights, products, threads);
  }

  /**
   * How to compute.
   *
   * @param backend the backend of the matrix products, or {@link Backends#AUTO}
   * @param threads threads to compute with, at least 1
   * @param memoryLimitBytes memory that caches and activations may take; empty for what the machine
   *     has available
   */
  public record Settings(String backend, int threads, OptionalLong memoryLimitBytes) {
    /** The best backend on all processors, with all of the machine's memory. */
    public static Settings standard() {
      return new Settings(
          Backends.AUTO, Runtime.getRuntime().availableProcessors(), OptionalLong.empty());
    }

    /** The same with another backend. */
    public Settings withBackend(String name) {
      return new Settings(name, threads, memoryLimitBytes);
    }

    /** The same with another number of threads. */
    public Settings withThreads(int count) {
      return new Settings(backend, count, memoryLimitBytes);
    }

    /** The same with at most {@code bytes} for caches and activations. */
    public Settings withMemoryLimit(long bytes) {
      return new Settings(backend, threads, OptionalLong.of(bytes));
    }
  }

  /**
   * Opens the model in {@code folder}, in the Hugging Face layout.
   *
   * @throws InvalidInputException if a file is missing, malformed, or has other sizes than
   *     config.json states; names the file, the key or tensor, the value and what is allowed
   */
  public static LlamaModel open(Path folder, Settings settings) {
    ModelConfig config = ModelFolder.open(folder).config();
    WeightFiles files = WeightFiles.open(folder);
    try {
      return new LlamaModel(config, settings, files, new WeightReader(files, config).read());
    } catch (RuntimeException failure) {
      files.close();
      throw failure;
    }
  }

  /** What config.json says of the model. */
  public ModelConfig config() {
    return config;
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
   * An empty cache for this model.
   *
   * @param capacity tokens that it can hold: prompt and answer together
   * @throws InvalidInputException if that is below 1, more than the model has positions for, or
   *     more than memory holds
   */
  public KeyValueCache newCache(int capacity) {
    requirePositions("a cache of " + capacity + " tokens", capacity);
    long bytes = KeyValueCache.bytes(config.attention(), capacity);
    new MemoryEstimate(bytes, 0)
        .requireWithin("a cache of " + capacity + " tokens", availableBytes());
    return new KeyValueCache(config.attention(), capacity);
  }

  /** The memory that a prompt and an answer of these lengths take. */
  public MemoryEstimate memoryEstimate(int promptTokens, int newTokens) {
    return new MemoryEstimate(
        KeyValueCache.bytes(config.attention(), (long) promptTokens + newTokens),
        Activations.bytes(config, promptTokens));
  }

  /**
   * Refuses a prompt that the model cannot read here; called before work starts.
   *
   * @throws InvalidInputException naming the need and the limit, if the prompt is longer than the
   *     model's positions or window, or if prompt and answer do not fit memory
   */
  public void requireReadable(int promptTokens, int newTokens) {
    String what = "a prompt of %d tokens with %d new ones".formatted(promptTokens, newTokens);
    requirePositions("a prompt of " + promptTokens + " tokens", promptTokens);
    memoryEstimate(promptTokens, newTokens).requireWithin(what, availableBytes());
  }

  /**
   * Reads {@code tokens}, which follow those in the cache, in one pass.
   *
   * @param attention computes the attention; its shape is {@link #attentionShape}
   * @param cache receives their keys and values; unchanged if this fails
   * @param tokens token ids, at least 1
   * @return the logits behind the last token, and what attention computed
   * @throws InvalidInputException if a token is unknown, the cache too small or another model's, or
   *     the text longer than the model's positions, window or memory
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
    requireRoom(cache, tokens);
    for (int position : positions) {
      if (position < 0 || position >= tokens.length) {
        throw new InvalidInputException(
            "position %d is not among the %d tokens".formatted(position, tokens.length));
      }
    }
    new MemoryEstimate(0, Activations.bytes(config, tokens.length))
        .requireWithin("a prompt of " + tokens.length + " tokens", availableBytes());
    return pass(attention, cache, tokens, positions, progress);
  }

  /**
   * Reads one token that follows those in the cache, every head reading all keys.
   *
   * @return the logits behind it
   * @throws InvalidInputException as {@link #prefill}
   */
  public Logits decode(SparseAttention attention, KeyValueCache cache, int token) {
    int[] tokens = {token};
    requireRoom(cache, tokens);
    try (Arena arena = Arena.ofShared()) {
      Activations memory = Activations.allocate(arena, config, 1);
      Pass pass = new Pass(memory, cache, 1, attention, true);
      decoder.run(tokens, pass, 0, PrefillProgress.SILENT);
      return decoder.logits(pass, new int[] {0});
    }
  }

  /** Unmaps the weights and ends the threads. Calls after this fail. */
  @Override
  public void close() {
    threads.close();
    products.close();
    files.close();
  }

  private Prefilled pass(
      SparseAttention attention,
      KeyValueCache cache,
      int[] tokens,
      int[] positions,
      PrefillProgress progress) {
    int firstNeeded = Arrays.stream(positions).min().orElse(tokens.length);
    try (Arena arena = Arena.ofShared()) {
      Activations memory = Activations.allocate(arena, config, tokens.length);
      Pass pass = new Pass(memory, cache, tokens.length, attention, false);
      List<PrefillReport> reports = decoder.run(tokens, pass, firstNeeded, progress);
      return new Prefilled(decoder.logits(pass, positions), reports);
    }
  }

  private void requireRoom(KeyValueCache cache, int[] tokens) {
    if (!cache.shape().equals(config.attention())) {
      throw new InvalidInputException(
          "the cache is for %s, but the model is %s".formatted(cache.shape(), config.attention()));
    }
    if (tokens.length == 0) {
      throw new InvalidInputException("the prompt is empty; allowed: at least 1 token");
    }
    for (int token : tokens) {
      if (token < 0 || token >= config.vocabularySize()) {
        throw new InvalidInputException(
            "token %d is not in the model's vocabulary; allowed: 0 to %d"
                .formatted(token, config.vocabularySize() - 1));
      }
    }
    long end = (long) cache.tokens() + tokens.length;
    requirePositions("a text of " + end + " tokens", end);
    if (end > cache.capacity()) {
      throw new InvalidInputException(
          "the cache holds %d tokens and has room for %d, not for %d more"
              .formatted(cache.tokens(), cache.capacity() - cache.tokens(), tokens.length));
    }
  }

  private void requirePositions(String what, long tokens) {
    if (tokens > config.maxPositions()) {
      throw new InvalidInputException(
          "%s is too long; allowed: %d, the model's max_position_embeddings"
              .formatted(what, config.maxPositions()));
    }
    if (config.slidingWindow().isPresent() && tokens > config.slidingWindow().getAsInt()) {
      throw new InvalidInputException(
          "%s is too long; allowed: %d, the model's sliding_window, beyond which it forgets"
              .formatted(what, config.slidingWindow().getAsInt()));
    }
  }

  private long availableBytes() {
    return settings.memoryLimitBytes().orElseGet(MachineMemory::availableBytes);
  }
}
