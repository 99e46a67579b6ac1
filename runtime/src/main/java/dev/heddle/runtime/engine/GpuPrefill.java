package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
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
  private final GpuHalves halves;

  @Inject
  GpuPrefill(
      AttentionPlan plan,
      AttentionSettings settings,
      PrefillCheck check,
      HeadIndexer indexer,
      GpuHalves halves) {
    this.plan = plan;
    this.settings = settings;
    this.check = check;
    this.indexer = indexer;
    this.halves = halves;
  }

  /** Computes a layer in host memory. */
  PrefillReport prefill(int layer, AttentionCall dense, GpuAttention gpu) {
    long start = System.nanoTime();
    List<HeadWork> work = work(layer, dense, gpu);
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
    gpu.attend(tensors, deviceWork(layer, tensors, stream, gpu), stream);
  }

  private List<HeadWork> work(int layer, AttentionCall dense, GpuAttention gpu) {
    int heads = dense.shape().queryHeads();
    HeadWork denseWork = new HeadWork.Indexed(List.of(dense.indices().getFirst()));
    List<HeadWork> work = new ArrayList<>(Collections.nCopies(heads, denseWork));
    if (dense.shape().keyTokens() < settings.denseBelow()) {
      return work;
    }
    List<Integer> byHost = new ArrayList<>();
    for (int head = 0; head < heads; head++) {
      Optional<HeadWork> onDevice = onDevice(layer, head, gpu);
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

  /** The work of all heads; those that only the host can index are copied to it first. */
  private List<HeadWork> deviceWork(int layer, GpuLayer tensors, long stream, GpuAttention gpu) {
    HeadWork denseWork =
        new HeadWork.Indexed(
            IntStream.range(0, tensors.sequences().size())
                .mapToObj(sequence -> BlockIndex.dense(tensors.shape(sequence), tensors.blocks()))
                .toList());
    int heads = tensors.queries().heads();
    List<HeadWork> work = new ArrayList<>(Collections.nCopies(heads, denseWork));
    if (tensors.mostKeyTokens() < settings.denseBelow()) {
      return work;
    }
    List<Integer> byHost = new ArrayList<>();
    for (int head = 0; head < heads; head++) {
      Optional<HeadWork> onDevice = onDevice(layer, head, gpu);
      if (onDevice.isPresent()) {
        work.set(head, onDevice.get());
      } else if (!assignment(layer, head).pattern().name().equals(PatternRegistry.DENSE)) {
        byHost.add(head);
      }
    }
    new DeviceHeads(tensors, stream, gpu)
        .index(layer, globalHead(0), byHost, indexer)
        .forEach((head, indices) -> work.set(head, new HeadWork.Indexed(indices)));
    return work;
  }

  private Optional<HeadWork> onDevice(int layer, int head, GpuAttention gpu) {
    Assignment assignment = assignment(layer, head);
    return halves
        .of(assignment, layer, globalHead(head), gpu)
        .map(kernels ->
            new HeadWork.OnDevice(
                new GpuHalf(assignment.pattern().name(), layer, globalHead(0), kernels),
                assignment.options()));
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
