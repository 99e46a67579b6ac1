package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;

/** Attention on one NVIDIA GPU. */
final class CudaBackend implements AttentionBackend, GpuAttention {
  private final Device device;

  /** Takes over {@code device} and closes it in the end. */
  CudaBackend(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return CudaProvider.NAME;
  }

  @Override
  public Optional<GpuAttention> gpu() {
    return Optional.of(this);
  }

  @Override
  public void attend(AttentionCall call) {
    List<HeadWork> heads =
        call.indices().stream()
            .<HeadWork>map(index -> new HeadWork.Indexed(List.of(index)))
            .toList();
    attend(call, blocksOf(call.indices()), heads);
  }

  @Override
  public GpuReport attend(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    HostLayer layer = new HostLayer(tensors, blocks);
    return device.call(lane -> {
      try (WorkQueue queue = new WorkQueue(device, lane)) {
        return layer.attend(queue, lane, heads, device.pool());
      }
    });
  }

  @Override
  public List<BlockIndex> indices(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    HostLayer layer = new HostLayer(tensors, blocks);
    return device.call(lane -> {
      try (WorkQueue queue = new WorkQueue(device, lane)) {
        return layer.indices(queue, heads, device.pool());
      }
    });
  }

  @Override
  public GpuTensors allocate(AttentionShape shape, ElementType type, BlockShape blocks) {
    return DeviceTensors.allocate(device, shape, type, blocks);
  }

  @Override
  public Availability availability(KernelSource kernels) {
    return device.availability(kernels);
  }

  @Override
  public void attend(GpuLayer layer, List<HeadWork> heads, long stream) {
    attend(layer, heads, stream, (plan, lane, queue) -> true);
  }

  @Override
  public GpuReport attendAndWait(GpuLayer layer, List<HeadWork> heads, long stream) {
    return attend(layer, heads, stream, (plan, lane, queue) -> lane.report(plan.cells(queue)));
  }

  @Override
  public long scratchBytes(GpuLayer layer, List<HeadWork> heads) {
    return LayerPlan.of(layer, heads).bytes();
  }

  /** What is asked of a plan that has been queued. */
  @FunctionalInterface
  private interface Result<T> {
    T of(LayerPlan plan, Lane lane, WorkQueue queue);
  }

  private <T> T attend(GpuLayer layer, List<HeadWork> heads, long stream, Result<T> result) {
    AttentionLaunch.requireSupported(layer);
    LayerPlan plan = LayerPlan.of(layer, heads);
    return device.call(lane -> {
      DeviceMemory.require(layer);
      plan.requireMemory(0, device.pool());
      ForeignStream foreign = new ForeignStream(device.driver(), lane, stream);
      try (Releases afterwards = new Releases();
          WorkQueue queue = new WorkQueue(device, lane)) {
        foreign.letLaneWait();
        // Even after a failure, what was queued reads the caller's memory.
        afterwards.add(foreign::waitForLane);
        plan.compute(queue, lane.times());
        return result.of(plan, lane, queue);
      }
    });
  }

  @Override
  public HeadTensor download(GpuTensor tensor, List<Integer> heads, long stream, Arena arena) {
    return device.call(lane -> {
      DeviceMemory.require("tensor", tensor);
      new ForeignStream(device.driver(), lane, stream).letLaneWait();
      try (WorkQueue queue = new WorkQueue(device, lane)) {
        return new HostTransfer(queue).download(tensor, heads, arena);
      }
    });
  }

  /** For tests: whether everything that calls took has been given back. */
  MemoryPool pool() {
    return device.pool();
  }

  Device device() {
    return device;
  }

  @Override
  public void close() {
    device.close();
  }

  /** The tile of the indices that are not dense; these need none. */
  private static BlockShape blocksOf(List<BlockIndex> indices) {
    List<BlockShape> shapes =
        indices.stream()
            .filter(index -> !index.isDense())
            .map(BlockIndex::blocks)
            .distinct()
            .toList();
    if (shapes.size() > 1) {
      throw new InvalidInputException("indices in different blocks: " + shapes);
    }
    return shapes.isEmpty() ? AttentionLaunch.BLOCKS : shapes.getFirst();
  }
}
