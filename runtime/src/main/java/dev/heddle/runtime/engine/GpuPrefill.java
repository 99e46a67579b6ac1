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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
    LayerWork work = hostWork(layer, dense, gpu);
    long hostIndexNanos = System.nanoTime() - start;
    GpuReport report = gpu.attend(dense, settings.blocks(), work.heads());
    return new PrefillReport(
        layer,
        reports(layer, dense.shape().causalCells(), work, report),
        hostIndexNanos + report.indexNanos(),
        report.attentionNanos());
  }

  /** Queues a layer in device memory behind what is queued on {@code stream}. */
  void prefill(int layer, GpuLayer tensors, long stream, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    gpu.attend(tensors, deviceWork(layer, tensors, stream, gpu).heads(), stream);
  }

  /** The same, but waits for the layer. */
  PrefillReport prefillAndWait(int layer, GpuLayer tensors, long stream, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    long start = System.nanoTime();
    LayerWork work = deviceWork(layer, tensors, stream, gpu);
    boolean byHost = work.heads().stream().anyMatch(GpuPrefill::isSparseIndex);
    long hostIndexNanos = byHost ? System.nanoTime() - start : 0;
    GpuReport report = gpu.attendAndWait(tensors, work.heads(), stream);
    return new PrefillReport(
        layer,
        reports(layer, causalCells(tensors), work, report),
        hostIndexNanos + report.indexNanos(),
        report.attentionNanos());
  }

  /** Device memory that a layer takes beside its tensors and what its host indices take. */
  long scratchBytes(int layer, GpuLayer tensors, AttentionBackend backend) {
    GpuAttention gpu = gpu(layer, tensors, backend);
    return gpu.scratchBytes(tensors, work(layer, tensors, gpu).heads());
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

  /**
   * How each head of a layer is computed.
   *
   * @param heads dense where nothing else is known yet
   * @param byHost heads whose index the host has to build
   * @param notes why a head runs dense that has another pattern
   */
  private record LayerWork(
      List<HeadWork> heads, List<Integer> byHost, Map<Integer, String> notes) {}

  private LayerWork hostWork(int layer, AttentionCall dense, GpuAttention gpu) {
    HeadWork denseHead = new HeadWork.Indexed(List.of(dense.indices().getFirst()));
    LayerWork work =
        work(
            layer,
            Collections.nCopies(dense.shape().queryHeads(), denseHead),
            Crossover.of(dense, settings.blocks()),
            gpu);
    List<HeadIndex> indices = indexer.index(layer, dense, work.byHost());
    for (int i = 0; i < indices.size(); i++) {
      int head = work.byHost().get(i);
      work.heads().set(head, new HeadWork.Indexed(List.of(indices.get(i).index())));
      if (!indices.get(i).note().isEmpty()) {
        work.notes().put(head, indices.get(i).note());
      }
    }
    return work;
  }

  /** Heads that only the host can index are copied to it first. */
  private LayerWork deviceWork(int layer, GpuLayer tensors, long stream, GpuAttention gpu) {
    LayerWork work = work(layer, tensors, gpu);
    new DeviceHeads(tensors, stream, gpu)
        .index(layer, settings.globalHead(0), work.byHost(), indexer)
        .forEach((head, indices) -> work.heads().set(head, new HeadWork.Indexed(indices)));
    return work;
  }

  private LayerWork work(int layer, GpuLayer tensors, GpuAttention gpu) {
    return work(layer, allDense(tensors), Crossover.of(tensors), gpu);
  }

  private LayerWork work(int layer, List<HeadWork> dense, Crossover crossover, GpuAttention gpu) {
    LayerWork work = new LayerWork(new ArrayList<>(dense), new ArrayList<>(), new TreeMap<>());
    boolean tooShort = crossover.mostKeyTokens() < settings.denseBelow();
    for (int head = 0; head < dense.size(); head++) {
      if (assignment(layer, head).isDense()) {
        continue;
      }
      if (tooShort) {
        work.notes().put(head, DenseNotes.below(settings.denseBelow()));
        continue;
      }
      Optional<HeadWork> onDevice = onDevice(layer, head, gpu);
      if (onDevice.isPresent()) {
        work.heads().set(head, onDevice.get());
      } else {
        work.byHost().add(head);
      }
    }
    if (settings.prefersDense()) {
      for (int head : crossover.dense(work.heads())) {
        work.heads().set(head, dense.get(head));
        work.notes().put(head, DenseNotes.SLOWER);
      }
    }
    return work;
  }

  private Optional<HeadWork> onDevice(int layer, int head, GpuAttention gpu) {
    Assignment assignment = assignment(layer, head);
    return halves
        .of(assignment, layer, settings.globalHead(head), gpu)
        .map(kernels ->
            new HeadWork.OnDevice(
                new GpuHalf(assignment.pattern().name(), layer, settings.globalHead(0), kernels),
                assignment.options()));
  }

  private List<PrefillReport.Head> reports(
      int layer, long causalCells, LayerWork work, GpuReport report) {
    return IntStream.range(0, report.cells().size())
        .mapToObj(head -> {
          long cells = report.cells().get(head);
          Assignment assigned = assignment(layer, head);
          boolean became = cells == causalCells && !assigned.isDense();
          return new PrefillReport.Head(
              became ? PatternRegistry.DENSE : assigned.pattern().name(),
              cells,
              causalCells,
              became ? work.notes().getOrDefault(head, DenseNotes.READS_ALL) : "");
        })
        .toList();
  }

  private Assignment assignment(int layer, int head) {
    return plan.assignment(layer, settings.globalHead(head));
  }
}
