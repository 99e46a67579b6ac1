package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.BackendUnavailableException;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.runtime.engine.AttentionEngine;
import dev.heddle.runtime.engine.AttentionSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Attention of a whole model in which each head reads the keys that its own pattern picks.
 *
 * <pre>{@code
 * try (SparseAttention attention = SparseAttention.builder().heads(Path.of("heads.json")).build()) {
 *   PrefillReport report = attention.prefill(layer, q, k, v, out);
 * }
 * }</pre>
 *
 * <p>Layers and heads are the model's global numbers. Queries may be the tail of the keys: a chunk
 * of a prompt, or a prompt behind a cached prefix. Memory that is passed in stays the caller's, is
 * used only until the call returns, and must be accessible to any thread ({@code Arena.ofShared},
 * {@code ofAuto}, a mapped file or an array). A NaN or infinity in the inputs reaches the outputs
 * of the queries that read it and no others.
 *
 * <p>Safe for use by several threads, each with its own output memory.
 */
public final class SparseAttention implements AutoCloseable {
  /**
   * Prompts with fewer keys than this run dense unless {@link Builder#denseBelow} says otherwise.
   *
   * <p>Measured with the vector backend on two Zen 4 cores (AVX-512), float32, 8 query heads in
   * groups of 4, head dims 64 and 128, budgets of a quarter of the prompt, best of a second of
   * runs: with indices counted in, Vertical-Slash is slower than dense at 768 keys (0.7 times its
   * speed); from 1,024 keys on every built-in pattern is faster.
   */
  public static final int DENSE_BELOW_KEY_TOKENS = 1024;

  private final AttentionEngine engine;

  private SparseAttention(AttentionEngine engine) {
    this.engine = engine;
  }

  /** Starts a façade. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Computes one layer's attention over a prompt.
   *
   * @param layer the layer's number
   * @param q Q, {@code [queryHeads][queryTokens][headDim]}: the last tokens of the sequence
   * @param k K, {@code [keyValueHeads][keyTokens][headDim]}: the whole sequence so far
   * @param v V, {@code [keyValueHeads][keyTokens][headDim]}
   * @param out receives the output, {@code [queryHeads][queryTokens][headDim]}; must not overlap
   *     the inputs
   * @throws InvalidInputException if the plan has no such layer, or a tensor does not have the
   *     plan's heads and head dim
   * @throws PatternFailedException if a pattern fails or gives an index that cannot be used;
   *     nothing has been written then
   * @throws IllegalStateException if this has been closed
   */
  public PrefillReport prefill(
      int layer, HeadTensor q, HeadTensor k, HeadTensor v, HeadTensor out) {
    return prefill(layer, Prefill.of(q, k, v, out));
  }

  /** The same, with a log-sum-exp or another scale. */
  public PrefillReport prefill(int layer, Prefill prefill) {
    return engine.prefill(layer, prefill);
  }

  /**
   * Queues one layer's attention over tensors in device memory and returns before it is computed.
   * What the caller queues on {@code stream} afterwards may read the output.
   *
   * <p>Every sequence of the batch is computed. The memory stays the caller's and must stay valid
   * until the stream has got past this call. Building some indices waits for the device.
   *
   * <p>A head whose pattern has no GPU half, or whose GPU half has no kernels that can run here, is
   * copied to the host, where its index is built: this call then waits for {@code stream}, and
   * moves Q of these heads and K and V of those that they read over the bus, 768 MiB for a float16
   * head of 128 numbers and 1,048,576 tokens.
   *
   * @param layer the layer's number
   * @param tensors addresses in the memory of the backend's device
   * @param stream the handle (CUstream) of the stream on which the inputs are made; 0 is the
   *     default stream
   * @throws InvalidInputException if the backend is not on a GPU, or the tensors do not suit the
   *     plan or are not in the device's memory
   * @throws PatternFailedException if a pattern fails or gives an index that cannot be used; {@code
   *     out} holds nothing of use then
   * @throws DeviceMemoryException if the device has not enough free memory; {@code out} holds
   *     nothing of use then
   * @throws IllegalStateException if this has been closed
   */
  public void prefill(int layer, GpuLayer tensors, long stream) {
    engine.prefill(layer, tensors, stream);
  }

  /**
   * The same, but waits until the layer is computed and says what that was. Times are the device's;
   * indices that the host builds count in wall clock.
   *
   * @throws InvalidInputException as {@link #prefill(int, GpuLayer, long)}
   * @throws PatternFailedException as {@link #prefill(int, GpuLayer, long)}
   * @throws DeviceMemoryException as {@link #prefill(int, GpuLayer, long)}
   * @throws IllegalStateException if this has been closed
   */
  public PrefillReport prefillAndWait(int layer, GpuLayer tensors, long stream) {
    return engine.prefillAndWait(layer, tensors, stream);
  }

  /**
   * The most device memory that {@link #prefill(int, GpuLayer, long)} takes beside the tensors,
   * without what the indices of patterns without a GPU half take, which only their making tells.
   *
   * @param tensors sizes of the layer; its addresses are not looked at
   * @throws InvalidInputException if the backend is not on a GPU, or the tensors do not suit the
   *     plan
   * @throws IllegalStateException if this has been closed
   */
  public long scratchBytes(int layer, GpuLayer tensors) {
    return engine.scratchBytes(layer, tensors);
  }

  /**
   * Computes one layer's attention with every query reading every key up to its position, as suits
   * the few queries of a decoding step.
   *
   * @throws InvalidInputException as {@link #prefill(int, Prefill)}
   * @throws IllegalStateException if this has been closed
   */
  public void decode(int layer, Prefill prefill) {
    engine.decode(layer, prefill);
  }

  /**
   * The index of each query head that {@link #prefill(int, Prefill)} would use. Computes no
   * attention and writes nothing.
   *
   * @throws InvalidInputException as {@link #prefill(int, Prefill)}
   * @throws PatternFailedException as {@link #prefill(int, Prefill)}
   * @throws IllegalStateException if this has been closed
   */
  public List<BlockIndex> indices(int layer, Prefill prefill) {
    return engine.indices(layer, prefill);
  }

  /** The pattern and options of every head. */
  public AttentionPlan plan() {
    return engine.plan();
  }

  /** The backend that computes: {@code "cuda"}, {@code "vector"}, {@code "reference"}. */
  public String backendName() {
    return engine.backendName();
  }

  /**
   * Waits for the calls that run, then frees threads and memory. Calls that come later fail;
   * closing again does nothing.
   */
  @Override
  public void close() {
    engine.close();
  }

  /** Says what a façade is made of. Only the heads must be given. Not safe for several threads. */
  public static final class Builder {
    private Optional<PatternRegistry> registry = Optional.empty();
    private Optional<HeadsConfig> heads = Optional.empty();
    private Backends backends = Backends.standard();
    private String backend = Backends.AUTO;
    private int threads = Runtime.getRuntime().availableProcessors();
    private BlockShape blocks = BlockShape.DEFAULT;
    private int denseBelow = DENSE_BELOW_KEY_TOKENS;
    private OptionalInt queryHeadOffset = OptionalInt.empty();
    private Consumer<String> notes =
        line -> System.getLogger("dev.heddle.runtime").log(System.Logger.Level.WARNING, line);

    private Builder() {}

    /** The patterns to choose from; {@link PatternRegistry#discover} when nothing is said. */
    public Builder registry(PatternRegistry registry) {
      this.registry = Optional.of(registry);
      return this;
    }

    /** Which head uses which pattern. */
    public Builder heads(HeadsConfig heads) {
      this.heads = Optional.of(heads);
      return this;
    }

    /**
     * Which head uses which pattern, from a heads file.
     *
     * @throws HeadsFileException if the file cannot be accepted
     */
    public Builder heads(Path headsFile) {
      return heads(HeadsConfig.read(headsFile));
    }

    /** The name of a backend, or {@code "auto"} (the default) for the first that can run here. */
    public Builder backend(String name) {
      this.backend = name;
      return this;
    }

    /** Threads that build indices and compute attention; as many as processors by default. */
    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    /** The tile that indices are built in; {@link BlockShape#DEFAULT} when nothing is said. */
    public Builder blocks(BlockShape blocks) {
      this.blocks = blocks;
      return this;
    }

    /**
     * Calls with fewer keys than this run dense for all heads; by default {@link
     * #DENSE_BELOW_KEY_TOKENS}. So does, whatever the length, a head whose index would compute
     * nearly all cells, and on a GPU one that its pattern expects to be slower. {@link
     * PrefillReport.Head#note()} says why. With 0 every head computes exactly what its pattern's
     * index says.
     */
    public Builder denseBelow(int keyTokens) {
      this.denseBelow = keyTokens;
      return this;
    }

    /**
     * Makes this the façade of a tensor-parallel shard: calls carry only the shard's heads, whose
     * first is query head {@code firstQueryHead} of the model.
     */
    public Builder queryHeadOffset(int firstQueryHead) {
      this.queryHeadOffset = OptionalInt.of(firstQueryHead);
      return this;
    }

    /**
     * Who is told, a line at a time, of what is done in another way than asked for, such as a
     * pattern's index that the host builds because its kernels cannot be compiled here. The logger
     * {@code dev.heddle.runtime} when nothing is said.
     */
    public Builder onNote(Consumer<String> listener) {
      this.notes = listener;
      return this;
    }

    /** The backends to choose from. */
    Builder backends(Backends backends) {
      this.backends = backends;
      return this;
    }

    /**
     * Looks the patterns up and opens the backend.
     *
     * @throws HeadsFileException if a head's pattern or option is unknown or not allowed
     * @throws InvalidInputException if no heads are given or a setting is out of range
     * @throws BackendUnavailableException if the backend cannot run here
     */
    public SparseAttention build() {
      HeadsConfig config =
          heads.orElseThrow(
              () -> new InvalidInputException("no heads are given; call heads(…) before build()"));
      return new SparseAttention(
          AttentionEngine.create(
              config,
              registry.orElseGet(PatternRegistry::discover),
              backends,
              new AttentionSettings(backend, threads, blocks, denseBelow, queryHeadOffset, notes)));
    }
  }
}
