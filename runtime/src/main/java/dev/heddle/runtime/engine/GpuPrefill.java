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
        reports(layer, dense.shape().causalCells(), report),
        hostIndexNanos + report.indexNanos(),
        report.attentionNanos());
  }

  /** Queues a layer in device memory behind what is queued on {@code stream}. */
  void prefill(int layer, GpuLayer tensors, long stream, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    gpu.attend(tensors, deviceWork(layer, tensors, stream, gpu), stream);
  }

  /** The same, but waits for the layer. */
  PrefillReport prefillAndWait(int layer, GpuLayer tensors, long stream, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    long start = System.nanoTime();
    List<HeadWork> work = deviceWork(layer, tensors, stream, gpu);
    boolean byHost = work.stream().anyMatch(GpuPrefill::isSparseIndex);
    long hostIndexNanos = byHost ? System.nanoTime() - start : 0;
    GpuReport report = gpu.attendAndWait(tensors, work, stream);
    return new PrefillReport(
        layer,
        reports(layer, causalCells(tensors), report),
        hostIndexNanos + report.indexNanos(),
        report.attentionNanos());
  }

  /** Device memory that a layer takes beside its tensors and what its host indices take. */
  long scratchBytes(int layer, GpuLayer tensors, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    List<HeadWork> work = allDense(tensors);
    if (tensors.mostKeyTokens() >= settings.denseBelow()) {
      for (int head = 0; head < work.size(); head++) {
        work.set(head, onDevice(layer, head, gpu).orElse(work.get(head)));
      }
    }
    return gpu.scratchBytes(tensors, work);
  }

  private GpuAttention gpu(int layer, GpuLayer tensors, AttentionBackend backend) {
    check.requireFitting(layer, tensors);
    return backend
        .gpu()
        .orElseThrow(() ->
            new InvalidInputException(
                "backend '%s' cannot read device memory; allowed: cuda".formatted(backend.name())));
  }

  private static boolean isSparseIndex(HeadWork work) {
    return work instanceof HeadWork.Indexed(List<BlockIndex> indices)
        && !indices.stream().allMatch(BlockIndex::isDense);
  }

  private static long causalCells(GpuLayer tensors) {
    return IntStream.range(0, tensors.sequences().size())
        .mapToLong(sequence -> tensors.shape(sequence).causalCells())
        .sum();
  }

  private static List<HeadWork> allDense(GpuLayer tensors) {
    HeadWork dense =
        new HeadWork.Indexed(
            IntStream.range(0, tensors.sequences().size())
                .mapToObj(sequence -> BlockIndex.dense(tensors.shape(sequence), tensors.blocks()))
                .toList());
    return new ArrayList<>(Collections.nCopies(tensors.queries().heads(), dense));
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
    List<HeadWork> work = allDense(tensors);
    if (tensors.mostKeyTokens() < settings.denseBelow()) {
      return work;
    }
    List<Integer> byHost = new ArrayList<>();
    for (int head = 0; head < work.size(); head++) {
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

  private List<PrefillReport.Head> reports(int layer, long causalCells, GpuReport report) {
    return IntStream.range(0, report.cells().size())
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
