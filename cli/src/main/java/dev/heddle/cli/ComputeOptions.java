package dev.heddle.cli;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import dev.heddle.llm.LlamaModel;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** Who computes. */
final class ComputeOptions {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "cuda, vector, reference, or auto (the default): the first that can run here.")
  private String backend = Backends.AUTO;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; as many as processors by default.")
  private int threads = Runtime.getRuntime().availableProcessors();

  private final Set<String> said = new HashSet<>();
  private Consumer<String> notes = line -> {};

  /** A façade for {@code heads} that computes as the options say. */
  SparseAttention attention(PatternRegistry registry, HeadsConfig heads) {
    return builder(registry, heads).build();
  }

  /** The same, to be changed before it is built. */
  SparseAttention.Builder builder(PatternRegistry registry, HeadsConfig heads) {
    return SparseAttention.builder()
        .registry(registry)
        .heads(heads)
        .backend(backend)
        .threads(threads)
        .onNote(this::note);
  }

  /** Each line once, however many façades the command opens. */
  private synchronized void note(String line) {
    if (said.add(line)) {
      notes.accept("heddle: " + line);
    }
  }

  /** Opens the backend itself. */
  AttentionBackend openBackend() {
    return Backends.standard().open(backend, threads);
  }

  /**
   * Tells the user which backends are passed over although what they run on is there, and lets
   * façades tell more. Called once per command.
   */
  void noteFallback(Console console) {
    noteFallback(console, Backends.standard());
  }

  void noteFallback(Console console, Backends backends) {
    notes = console::note;
    backends
        .passedOver(backend)
        .forEach(refusal -> console.note("heddle: going on without " + refusal));
  }

  /** Likewise for a model, which needs more of a GPU than attention does. */
  void noteModelFallback(Console console) {
    noteFallback(console);
    if (backend.equals(Backends.AUTO)) {
      Backends.standard()
          .streamRefusal(backend)
          .ifPresent(
              refusal -> console.note("heddle: the GPU computes attention alone. " + refusal));
    }
  }

  /** How a model computes what is not attention. */
  LlamaModel.Settings modelSettings() {
    return LlamaModel.Settings.standard().withBackend(backend).withThreads(threads);
  }

  /** The same on the processor, where attention can be looked at while a prompt is read. */
  LlamaModel.Settings processorModelSettings() {
    boolean mayBeGpu = backend.equals(Backends.AUTO) || backend.equals("cuda");
    return mayBeGpu ? modelSettings().withBackend("vector") : modelSettings();
  }

  int threads() {
    return threads;
  }
}
