package dev.heddle.runtime;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.KernelGrid;
import dev.heddle.api.KernelParameters;
import dev.heddle.api.KernelSource;
import dev.heddle.api.Options;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import dev.heddle.kernels.MatrixProducts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A GPU backend that computes nothing: it remembers what it is asked for, calls GPU halves as the
 * real one does, and its device memory is the process's own.
 */
final class FakeGpu implements BackendProvider, AttentionBackend, GpuAttention {
  private final List<List<HeadWork>> calls = new ArrayList<>();
  private final List<List<Integer>> downloads = new ArrayList<>();

  Backends only() {
    return new Backends(List.of(this));
  }

  /** The work of every call, head by head. */
  List<List<HeadWork>> calls() {
    return calls;
  }

  /** The heads of every copy to the host. */
  List<List<Integer>> downloads() {
    return downloads;
  }

  @Override
  public String name() {
    return "fake-gpu";
  }

  @Override
  public Availability availability() {
    return new Availability.Available("a test");
  }

  @Override
  public AttentionBackend open(int threads) {
    return this;
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    throw new UnsupportedOperationException("attention alone is tested");
  }

  @Override
  public void attend(AttentionCall call) {
    throw new UnsupportedOperationException("prefill alone is tested");
  }

  @Override
  public Optional<GpuAttention> gpu() {
    return Optional.of(this);
  }

  @Override
  public GpuReport attend(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    calls.add(heads);
    List<Long> cells =
        heads.stream()
            .map(head -> head instanceof HeadWork.Indexed(var of) ? of.getFirst().cells() : 0L)
            .toList();
    return new GpuReport(cells, 1, 1);
  }

  @Override
  public List<BlockIndex> indices(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    throw new UnsupportedOperationException("prefill alone is tested");
  }

  @Override
  public void attend(GpuLayer layer, List<HeadWork> heads, long stream) {
    for (int head = 0; head < heads.size(); head++) {
      if (heads.get(head) instanceof HeadWork.OnDevice(var kernels, Options options)) {
        GpuCall call = new GpuCall(layer, List.of(new GpuHead(head, options)));
        GpuTables tables = new GpuTables(0, 0, 0, 0, 0);
        GpuIndex index = kernels.index(call, tables, new NoQueue());
        kernels.attend(call, tables, index, new NoQueue());
      }
    }
    calls.add(heads);
  }

  @Override
  public GpuReport attendAndWait(GpuLayer layer, List<HeadWork> heads, long stream) {
    attend(layer, heads, stream);
    return new GpuReport(heads.stream().map(head -> 1L).toList(), 1, 1);
  }

  @Override
  public long scratchBytes(GpuLayer layer, List<HeadWork> heads) {
    return heads.stream().filter(HeadWork.OnDevice.class::isInstance).count();
  }

  @Override
  @SuppressWarnings("restricted") // reads what a test calls device memory
  public HeadTensor download(GpuTensor tensor, List<Integer> heads, long stream, Arena arena) {
    downloads.add(heads);
    int bytes = tensor.type().bytes();
    long rowBytes = (long) tensor.headDim() * bytes;
    MemorySegment copy = arena.allocate((long) heads.size() * tensor.tokens() * rowBytes, 64);
    for (int i = 0; i < heads.size(); i++) {
      for (int token = 0; token < tensor.tokens(); token++) {
        long element = heads.get(i) * tensor.headStride() + token * tensor.tokenStride();
        MemorySegment row =
            MemorySegment.ofAddress(tensor.address() + element * bytes).reinterpret(rowBytes);
        copy.asSlice(((long) i * tensor.tokens() + token) * rowBytes, rowBytes).copyFrom(row);
      }
    }
    return HeadTensor.contiguous(
        copy, tensor.type(), heads.size(), tensor.tokens(), tensor.headDim());
  }

  @Override
  public void close() {}

  @Override
  public GpuTensors allocate(AttentionShape shape, ElementType type, BlockShape blocks) {
    throw new UnsupportedOperationException("nothing here measures");
  }

  /** Nothing can be queued. */
  private static final class NoQueue implements GpuQueue {
    @Override
    public long allocate(long bytes) {
      return 256;
    }

    @Override
    public void fill(long address, byte value, long bytes) {}

    @Override
    public void upload(MemorySegment source, long address) {}

    @Override
    public void download(long address, MemorySegment target) {}

    @Override
    public void launch(
        KernelSource source, String kernel, KernelGrid grid, KernelParameters parameters) {}

    @Override
    public boolean has(KernelSource source, String kernel) {
      return false;
    }

    @Override
    public int multiprocessors() {
      return 1;
    }
  }
}
