package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.HeadWork;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.PrefillReport;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Prefill on a GPU: heads whose pattern has a GPU half build their index there, and the others
 * bring the host's.
 */
final class GpuPrefill {
  private final AttentionPlan plan;
  private final AttentionSettings settings;
  private final PrefillCheck check;
  private final HeadIndexer indexer;

  @Inject
  GpuPrefill(
      AttentionPlan plan, AttentionSettings settings, PrefillCheck check, HeadIndexer indexer) {
    this.plan = plan;
    this.settings = settings;
    this.check = check;
    this.indexer = indexer;
  }

  /** Computes a layer in host memory. */
  PrefillReport prefill(int layer, AttentionCall dense, GpuAttention gpu) {
    long start = System.nanoTime();
    List<HeadWork> work = work(layer, dense);
    long hostIndexNanos = System.nanoTime() - start;
    GpuReport report = gpu.attend(dense, settings.blocks(), work);
    return new PrefillReport(
        layer,
        reports(layer, dense, report),
        hostIndexNanos + report.indexNanos(),
        report.attentionNanos());
  }

  /** Queues a layer in device memory behind what is queued on {@code stream}. */
  void prefill(int layer, GpuLayer tensors, long stream, AttentionBackend backend) {
    check.requireFitting(layer, tensors);
    GpuAttention gpu =
        backend
            .gpu()
            .orElseThrow(() ->
                new InvalidInputException(
                    "backend '%s' cannot read device memory; allowed: cuda"
                        .formatted(backend.name())));
    List<HeadWork> work =
        IntStream.range(0, tensors.queries().heads())
            .mapToObj(head -> deviceWork(layer, head, tensors))
            .toList();
    gpu.attend(tensors, work, stream);
  }

  private List<HeadWork> work(int layer, AttentionCall dense) {
    int heads = dense.shape().queryHeads();
    HeadWork denseWork = new HeadWork.Indexed(List.of(dense.indices().getFirst()));
    List<HeadWork> work = new ArrayList<>(Collections.nCopies(heads, denseWork));
    if (dense.shape().keyTokens() < settings.denseBelow()) {
      return work;
    }
    List<Integer> byHost = new ArrayList<>();
    for (int head = 0; head < heads; head++) {
      Optional<HeadWork> onDevice = onDevice(assignment(layer, head));
      if (onDevice.isPresent()) {
        work.set(head, onDevice.get());
      } else {
        byHost.add(head);
      }
    }
    List<HeadIndex> indices = indexer.index(layer, dense, byHost);
    for (int i = 0; i < byHost.size(); i++) {
      work.set(byHost.get(i), new HeadWork.Indexed(List.of(indices.get(i).index())));
    }
    return work;
  }

  private HeadWork deviceWork(int layer, int head, GpuLayer tensors) {
    Assignment assignment = assignment(layer, head);
    boolean isDense =
        assignment.pattern().name().equals(PatternRegistry.DENSE)
            || tensors.mostKeyTokens() < settings.denseBelow();
    if (isDense) {
      return new HeadWork.Indexed(
          IntStream.range(0, tensors.sequences().size())
              .mapToObj(sequence -> BlockIndex.dense(tensors.shape(sequence), tensors.blocks()))
              .toList());
    }
    return onDevice(assignment)
        .orElseThrow(() ->
            new InvalidInputException(
                ("pattern '%s' of layer %d, head %d builds its index on the host, which cannot read"
                        + " device memory; pass host memory, or assign a pattern with a GPU half")
                    .formatted(assignment.pattern().name(), layer, globalHead(head))));
  }

  private static Optional<HeadWork> onDevice(Assignment assignment) {
    return assignment
        .pattern()
        .gpu()
        .filter(kernels -> kernels.source().isPresent())
        .map(kernels -> onDevice(kernels, assignment));
  }

  private static HeadWork onDevice(GpuKernels kernels, Assignment assignment) {
    return new HeadWork.OnDevice(kernels, assignment.options());
  }

  private List<PrefillReport.Head> reports(int layer, AttentionCall dense, GpuReport report) {
    long causalCells = dense.shape().causalCells();
    return IntStream.range(0, dense.shape().queryHeads())
        .mapToObj(head -> {
          long cells = report.cells().get(head);
          String pattern =
              cells == causalCells
                  ? PatternRegistry.DENSE
                  : assignment(layer, head).pattern().name();
          return new PrefillReport.Head(pattern, cells, causalCells);
        })
        .toList();
  }

  private Assignment assignment(int layer, int head) {
    return plan.assignment(layer, globalHead(head));
  }

  private int globalHead(int head) {
    return settings.queryHeadOffset().orElse(0) + head;
  }
}
