package dev.heddle.search;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.HeadInputs;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.HeadWork;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Says once how long one head's part of a call takes: by the wall clock, or on a GPU by what the
 * device says, because a head of a model that runs there is neither uploaded nor downloaded.
 */
final class HeadTimer {
  private final AttentionBackend backend;
  private final HeadMeter meter;
  private final HeadInputs head;
  private final int threads;

  /**
   * Times {@code head}.
   *
   * @param threads threads that the host builds indices of other heads on
   */
  HeadTimer(AttentionBackend backend, HeadMeter meter, HeadInputs head, int threads) {
    this.backend = backend;
    this.meter = meter;
    this.head = head;
    this.threads = threads;
  }

  /** Nanoseconds of attention for each of the query heads of {@code index}, copies of the head. */
  double attentionNanos(BlockIndex index) {
    int copies = index.shape().queryHeads();
    AttentionCall call = meter.copies(head, index);
    Optional<GpuAttention> gpu = backend.gpu();
    if (gpu.isPresent()) {
      return (double) report(gpu.get(), call, new HeadWork.Indexed(List.of(index))).attentionNanos()
          / copies;
    }
    long start = System.nanoTime();
    backend.attend(call);
    return (double) (System.nanoTime() - start) / copies;
  }

  /**
   * Nanoseconds of building a head's index: on the device where the pattern can, with copies of the
   * head to keep it busy, else on the host, whose threads are busy with other heads.
   *
   * @param copies how many
   */
  double indexNanos(Candidate candidate, int copies) {
    Optional<GpuAttention> gpu = backend.gpu();
    Optional<GpuKernels> kernels =
        gpu.flatMap(device ->
            candidate
                .pattern()
                .gpu()
                .filter(half -> device.availability(half.source()) instanceof Available));
    if (kernels.isPresent()) {
      AttentionCall call = meter.copies(head, CostMeter.denseCopies(head, copies));
      HeadWork work = new HeadWork.OnDevice(kernels.get(), candidate.options());
      return (double) report(gpu.orElseThrow(), call, work).indexNanos() / copies;
    }
    long start = System.nanoTime();
    IndexBuilding.index(candidate, head);
    return (double) (System.nanoTime() - start) / threads;
  }

  private GpuReport report(GpuAttention gpu, AttentionCall call, HeadWork work) {
    return gpu.attend(call, head.blocks(), Collections.nCopies(call.shape().queryHeads(), work));
  }
}
