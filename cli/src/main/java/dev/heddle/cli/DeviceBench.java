package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.KernelSource;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.kernels.HeadWork;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Runs cases on a GPU whose memory holds the tensors; times are differences of events on the
 * device. The index of a pattern without a GPU half is built on the host, in wall clock, and its
 * upload is part of the index's time.
 */
final class DeviceBench implements BenchRunner {
  private final Access device;
  private final GpuTensors tensors;
  private final Function<HeadsConfig, SparseAttention> open;
  private final StructuredLayer layer;
  private final Arena arena;

  /** What is asked of the device beside its tensors. */
  interface Access {
    /** Whether kernels of a pattern can run there. */
    boolean canRun(KernelSource kernels);

    /** A copy of {@code tensor} in host memory. */
    HeadTensor download(GpuTensor tensor, Arena arena);

    /**
     * That of {@code gpu}.
     *
     * @param notes is told of kernels that cannot run
     */
    static Access of(GpuAttention gpu, Consumer<String> notes) {
      Set<String> said = new HashSet<>();
      return new Access() {
        @Override
        public boolean canRun(KernelSource kernels) {
          if (gpu.availability(kernels) instanceof Refused(String reason, String remedy)) {
            if (said.add(kernels.name())) {
              notes.accept(
                  "heddle: going on with indices of the host for kernels '%s': %s; %s"
                      .formatted(kernels.name(), reason, remedy));
            }
            return false;
          }
          return true;
        }

        @Override
        public HeadTensor download(GpuTensor tensor, Arena arena) {
          List<Integer> heads = IntStream.range(0, tensor.heads()).boxed().toList();
          return gpu.download(tensor, heads, 0, arena);
        }
      };
    }
  }

  /**
   * Uploads {@code layer}.
   *
   * @param device what else is asked of it
   * @param tensors device memory for it; closed with this
   * @param open opens a façade that builds indices on the host
   * @param arena where the layer lives
   */
  DeviceBench(
      Access device,
      GpuTensors tensors,
      Function<HeadsConfig, SparseAttention> open,
      StructuredLayer layer,
      Arena arena) {
    this.device = device;
    this.tensors = tensors;
    this.open = open;
    this.layer = layer;
    this.arena = arena;
    tensors.upload(layer.queries(), layer.keys(), layer.values());
  }

  @Override
  public Run prepare(BenchCase measured) {
    if (measured.isDense()) {
      GpuLayer onDevice = tensors.layer();
      BlockIndex dense = BlockIndex.dense(onDevice.shape(0), onDevice.blocks());
      return new OnDevice(all(new HeadWork.Indexed(List.of(dense))));
    }
    Optional<GpuKernels> kernels =
        measured.pattern().gpu().filter(half -> device.canRun(half.source()));
    return kernels.isPresent()
        ? new OnDevice(all(new HeadWork.OnDevice(kernels.get(), measured.options())))
        : new IndexedByHost(open.apply(config(measured)));
  }

  @Override
  public HeadTensor output(Arena target) {
    return device.download(tensors.layer().out(), target);
  }

  @Override
  public void close() {
    tensors.close();
  }

  private BenchSample attend(List<HeadWork> heads, long hostIndexNanos) {
    GpuReport report = tensors.attend(heads);
    long cells = report.cells().stream().mapToLong(Long::longValue).sum();
    return new BenchSample(hostIndexNanos + report.indexNanos(), report.attentionNanos(), cells);
  }

  private List<HeadWork> all(HeadWork work) {
    return Collections.nCopies(layer.queries().heads(), work);
  }

  private HeadsConfig config(BenchCase measured) {
    AttentionShape shape = tensors.layer().shape(0);
    ModelShape model =
        new ModelShape(1, shape.queryHeads(), shape.keyValueHeads(), layer.queries().headDim());
    return HeadsConfig.uniform(model, measured.pattern().name(), measured.options().toMap());
  }

  /** Everything happens on the device. */
  private final class OnDevice implements Run {
    private final List<HeadWork> heads;

    OnDevice(List<HeadWork> heads) {
      this.heads = heads;
    }

    @Override
    public BenchSample once() {
      return attend(heads, 0);
    }

    @Override
    public void close() {
      // holds nothing
    }
  }

  /** The host builds the indices. */
  private final class IndexedByHost implements Run {
    private final SparseAttention host;
    private final Prefill prefill;

    IndexedByHost(SparseAttention host) {
      this.host = host;
      HeadTensor q = layer.queries();
      // No output is written where only indices are built, but a call names one.
      HeadTensor out =
          StructuredLayer.allocate(arena, q.type(), q.heads(), q.tokens(), q.headDim());
      this.prefill = Prefill.of(q, layer.keys(), layer.values(), out);
    }

    @Override
    public BenchSample once() {
      long start = System.nanoTime();
      List<BlockIndex> indices = host.indices(0, prefill);
      long nanos = System.nanoTime() - start;
      List<HeadWork> heads =
          indices.stream().<HeadWork>map(index -> new HeadWork.Indexed(List.of(index))).toList();
      return attend(heads, nanos);
    }

    @Override
    public void close() {
      host.close();
    }
  }
}
