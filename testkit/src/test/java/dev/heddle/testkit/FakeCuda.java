package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuQueue;
import dev.heddle.api.GpuTables;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadTensor;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A device that computes as the reference does, by indices that the pattern's host half builds; or
 * that is wrong in one respect.
 *
 * @param window how far each query of a GPU half reads
 * @param error what is added to the first number of an output
 * @param device whether there is one
 * @param compiler whether it takes the kernels
 */
record FakeCuda(int window, float error, Availability device, Availability compiler)
    implements BackendProvider, AttentionBackend, GpuAttention {
  private static final int LOCAL = 40;
  private static final Availability THERE = new Availability.Available("a test");

  static FakeCuda right() {
    return new FakeCuda(LOCAL, 0, THERE, THERE);
  }

  static FakeCuda readingMore() {
    return new FakeCuda(LOCAL + 1, 0, THERE, THERE);
  }

  static FakeCuda computingWrong() {
    return new FakeCuda(LOCAL, 0.01f, THERE, THERE);
  }

  static FakeCuda withoutCompiler() {
    return new FakeCuda(LOCAL, 0, THERE, new Availability.Refused("no compiler", "get one"));
  }

  static FakeCuda absent() {
    return new FakeCuda(LOCAL, 0, new Availability.Refused("none here", "find one"), THERE);
  }

  /** In place of the real one. */
  Backends besideOthers() {
    return new Backends(
        Backends.standard().providers().stream()
            .map(provider -> provider.name().equals(name()) ? this : provider)
            .toList());
  }

  /** A window with a GPU half. */
  static final class Pattern extends Window {
    private static final Optional<GpuKernels> HALF = Optional.of(new Half());

    @Override
    public Optional<GpuKernels> gpu() {
      return HALF;
    }

    @Override
    public BlockIndex index(HeadInputs head, Options options) {
      return window(head, FakeCuda.LOCAL);
    }
  }

  /** Only the fake device knows what to do with it. */
  private static final class Half implements GpuKernels {
    private static final KernelSource SOURCE =
        KernelSource.ofText("window", file -> Optional.empty());

    @Override
    public KernelSource source() {
      return SOURCE;
    }

    @Override
    public boolean readsAll(AttentionShape shape, Options options) {
      return false;
    }

    @Override
    public long scratchBytes(GpuCall call) {
      return 0;
    }

    @Override
    public GpuIndex index(GpuCall call, GpuTables tables, GpuQueue queue) {
      throw new UnsupportedOperationException("no device");
    }
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Availability availability() {
    return device;
  }

  @Override
  public Availability availability(KernelSource kernels) {
    return compiler;
  }

  @Override
  public AttentionBackend open(int threads) {
    return this;
  }

  @Override
  public Optional<GpuAttention> gpu() {
    return Optional.of(this);
  }

  @Override
  public List<BlockIndex> indices(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    List<BlockIndex> indices = new ArrayList<>();
    TestLayer layer =
        new TestLayer(tensors.shape(), tensors.queries(), tensors.keys(), tensors.values());
    for (int head = 0; head < heads.size(); head++) {
      indices.add(
          switch (heads.get(head)) {
            case HeadWork.Indexed(List<BlockIndex> ofHead) -> ofHead.getFirst();
            case HeadWork.OnDevice onDevice -> Window.window(layer.head(head, blocks), window);
          });
    }
    return indices;
  }

  @Override
  public GpuReport attend(AttentionCall tensors, BlockShape blocks, List<HeadWork> heads) {
    AttentionCall call =
        new AttentionCall(
            tensors.shape(),
            tensors.queries(),
            tensors.keys(),
            tensors.values(),
            tensors.out(),
            tensors.logSumExp(),
            tensors.softmaxScale(),
            indices(tensors, blocks, heads));
    try (AttentionBackend reference = Backends.standard().open("reference", 1)) {
      reference.attend(call);
    }
    ElementType type = call.out().type();
    type.store(call.out().memory(), 0, type.load(call.out().memory(), 0) + error);
    return new GpuReport(List.of(), 0, 0);
  }

  @Override
  public void attend(AttentionCall call) {
    throw new UnsupportedOperationException("GPU halves alone are tested");
  }

  @Override
  public GpuReport attendAndWait(GpuLayer layer, List<HeadWork> heads, long stream) {
    throw new UnsupportedOperationException("no device memory");
  }

  @Override
  public long scratchBytes(GpuLayer layer, List<HeadWork> heads) {
    return 0;
  }

  @Override
  public void attend(GpuLayer layer, List<HeadWork> heads, long stream) {
    throw new UnsupportedOperationException("GPU halves alone are tested");
  }

  @Override
  public HeadTensor download(GpuTensor tensor, List<Integer> heads, long stream, Arena arena) {
    throw new UnsupportedOperationException("GPU halves alone are tested");
  }

  @Override
  public GpuTensors allocate(AttentionShape shape, ElementType type, BlockShape blocks) {
    throw new UnsupportedOperationException("GPU halves alone are tested");
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    throw new UnsupportedOperationException("GPU halves alone are tested");
  }

  @Override
  public void close() {
    // holds nothing
  }
}
