package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Backends;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.PrefillReport;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;

/** What a {@code SparseAttention} does: check the call, build the indices, run the backend. */
@Singleton
public final class AttentionEngine implements AutoCloseable {
  private final AttentionPlan plan;
  private final AttentionBackend backend;
  private final PrefillCheck check;
  private final HeadIndexer indexer;
  private final GpuPrefill gpu;
  private final UseGate gate = new UseGate("SparseAttention");

  /** Dagger creates the parameters in their order: what may be refused comes before threads. */
  @Inject
  AttentionEngine(
      AttentionPlan plan,
      PrefillCheck check,
      AttentionBackend backend,
      HeadIndexer indexer,
      GpuPrefill gpu) {
    this.plan = plan;
    this.check = check;
    this.backend = backend;
    this.indexer = indexer;
    this.gpu = gpu;
  }

  /** Wires an engine from what the user chose. */
  public static AttentionEngine create(
      HeadsConfig heads, PatternRegistry registry, Backends backends, AttentionSettings settings) {
    return DaggerAttentionComponent.factory().create(heads, registry, backends, settings).engine();
  }

  public PrefillReport prefill(int layer, Prefill prefill) {
    return gate.use(() -> {
      AttentionCall dense = check.denseCall(layer, prefill);
      if (backend.gpu().isPresent()) {
        return gpu.prefill(layer, dense, backend.gpu().get());
      }
      long start = System.nanoTime();
      List<HeadIndex> heads = indexer.index(layer, dense);
      long indexed = System.nanoTime();
      backend.attend(PrefillCheck.withIndices(dense, HeadIndex.indices(heads)));
      long attended = System.nanoTime();
      return new PrefillReport(
          layer, HeadIndex.reports(heads), indexed - start, attended - indexed);
    });
  }

  public void prefill(int layer, GpuLayer tensors, long stream) {
    gate.use(() -> {
      gpu.prefill(layer, tensors, stream, backend);
      return true;
    });
  }

  public PrefillReport prefillAndWait(int layer, GpuLayer tensors, long stream) {
    return gate.use(() -> gpu.prefillAndWait(layer, tensors, stream, backend));
  }

  public long scratchBytes(int layer, GpuLayer tensors) {
    return gate.use(() -> gpu.scratchBytes(layer, tensors, backend));
  }

  public void decode(int layer, Prefill prefill) {
    gate.use(() -> {
      backend.attend(check.denseCall(layer, prefill));
      return true;
    });
  }

  public List<BlockIndex> indices(int layer, Prefill prefill) {
    return gate.use(() -> HeadIndex.indices(indexer.index(layer, check.denseCall(layer, prefill))));
  }

  public AttentionPlan plan() {
    return plan;
  }

  public String backendName() {
    return backend.name();
  }

  @Override
  public void close() {
    gate.close(() -> {
      indexer.close();
      backend.close();
    });
  }
}
