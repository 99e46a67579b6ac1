package dev.heddle.kernels.cuda;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.DeviceMemoryException;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import java.util.ArrayList;
import java.util.List;

/** A layer's tensors in one piece of device memory, one behind the other. */
final class DeviceTensors implements GpuTensors {
  private final Device device;
  private final AttentionShape shape;
  private final GpuLayer layer;
  private boolean closed;

  private DeviceTensors(Device device, AttentionShape shape, GpuLayer layer) {
    this.device = device;
    this.shape = shape;
    this.layer = layer;
  }

  /**
   * Takes the memory.
   *
   * @throws InvalidInputException if the kernels do not take the sizes
   * @throws DeviceMemoryException if the device has not the memory
   */
  static DeviceTensors allocate(
      Device device, AttentionShape shape, ElementType type, BlockShape blocks) {
    Sizes sizes = new Sizes(shape, type, HostLayer.deviceHeadDim(shape.headDim()));
    // An address is needed to check the rest; nothing is read there.
    AttentionLaunch.requireSupported(sizes.layer(Sizes.ALIGNMENT_BYTES, blocks));
    Releases held = new Releases();
    try {
      long address =
          device.call(lane -> {
            long taken = take(sizes, lane, device.pool());
            held.add(() -> free(taken, device));
            lane.await(); // from here on every stream may use it
            return taken;
          });
      return new DeviceTensors(device, shape, sizes.layer(address, blocks));
    } catch (RuntimeException failure) {
      held.closeAfter(failure);
      throw failure;
    }
  }

  private static long take(Sizes sizes, Lane lane, MemoryPool pool) {
    long free = pool.freeBytes();
    if (sizes.bytes() > free) {
      throw new DeviceMemoryException(sizes.describe(), sizes.bytes(), free);
    }
    return pool.allocate(sizes.bytes(), lane.stream());
  }

  private static void free(long address, Device device) {
    device.call(lane -> {
      device.pool().free(address, lane.stream());
      return true;
    });
  }

  @Override
  public GpuLayer layer() {
    return layer;
  }

  @Override
  public void upload(HeadTensor queries, HeadTensor keys, HeadTensor values) {
    requireOpen();
    requireLike("queries", queries, layer.queries());
    requireLike("keys", keys, layer.keys());
    requireLike("values", values, layer.values());
    device.call(lane -> {
      try (WorkQueue queue = new WorkQueue(device, lane)) {
        HostTransfer transfer = new HostTransfer(queue);
        transfer.upload(queries, layer.queries());
        transfer.upload(keys, layer.keys());
        transfer.upload(values, layer.values());
        lane.await();
      }
      return true;
    });
  }

  @Override
  public GpuReport attend(List<HeadWork> heads) {
    requireOpen();
    LayerPlan plan = LayerPlan.of(layer, heads);
    return device.call(lane -> {
      plan.requireMemory(0, device.pool());
      try (WorkQueue queue = new WorkQueue(device, lane)) {
        plan.compute(queue, lane.times());
        return lane.report(plan.cells(queue));
      }
    });
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      free(layer.queries().address(), device);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("these device tensors have been closed");
    }
  }

  private void requireLike(String name, HeadTensor host, GpuTensor wanted) {
    if (host.heads() != wanted.heads()
        || host.tokens() != wanted.tokens()
        || host.headDim() != shape.headDim()
        || host.type() != wanted.type()) {
      throw new InvalidInputException(
          "%s are %s %d x %d x %d; allowed: %s %d x %d x %d"
              .formatted(
                  name,
                  host.type(),
                  host.heads(),
                  host.tokens(),
                  host.headDim(),
                  wanted.type(),
                  wanted.heads(),
                  wanted.tokens(),
                  shape.headDim()));
    }
  }

  /** Where each tensor lies: Q first, then K, V and the output. */
  private record Sizes(AttentionShape shape, ElementType type, int headDim) {
    /** Device memory is taken in units of this. */
    static final int ALIGNMENT_BYTES = 256;

    long bytes() {
      return 2 * queryBytes() + 2 * keyBytes();
    }

    String describe() {
      return "a layer of %d x %,d queries and %d x %,d keys"
          .formatted(
              shape.queryHeads(), shape.queryTokens(), shape.keyValueHeads(), shape.keyTokens());
    }

    GpuLayer layer(long address, BlockShape blocks) {
      List<GpuTensor> tensors = new ArrayList<>();
      long next = address;
      for (boolean ofKeys : List.of(false, true, true, false)) {
        int heads = ofKeys ? shape.keyValueHeads() : shape.queryHeads();
        int tokens = ofKeys ? shape.keyTokens() : shape.queryTokens();
        tensors.add(GpuTensor.contiguous(next, type, heads, tokens, headDim));
        next += ofKeys ? keyBytes() : queryBytes();
      }
      return new GpuLayer(
          tensors.get(0),
          tensors.get(1),
          tensors.get(2),
          tensors.get(3),
          0,
          (float) (1 / Math.sqrt(shape.headDim())),
          blocks,
          List.of(GpuSequence.whole(shape.queryTokens(), shape.keyTokens())));
    }

    private long queryBytes() {
      return aligned((long) shape.queryHeads() * shape.queryTokens());
    }

    private long keyBytes() {
      return aligned((long) shape.keyValueHeads() * shape.keyTokens());
    }

    private long aligned(long rows) {
      return Math.ceilDiv(rows * headDim * type.bytes(), ALIGNMENT_BYTES) * (long) ALIGNMENT_BYTES;
    }
  }
}
