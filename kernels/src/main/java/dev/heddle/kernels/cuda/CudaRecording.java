package dev.heddle.kernels.cuda;

import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.GpuRecording;
import dev.heddle.kernels.cuda.DeviceHandles.Stream;
import java.util.function.Consumer;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/** A CUDA graph of what was queued on a stream while it was captured. */
final class CudaRecording implements GpuRecording {
  private final CUgraphExec launches;
  private final Stream stream;
  private final Consumer<Runnable> context;
  private boolean closed;

  private CudaRecording(CUgraphExec launches, Stream stream, Consumer<Runnable> context) {
    this.launches = launches;
    this.stream = stream;
    this.context = context;
  }

  /**
   * Captures what {@code work} queues on {@code stream}. The context must be current.
   *
   * @param context runs what it is given in the context
   */
  static CudaRecording of(Stream stream, Runnable work, Consumer<Runnable> context) {
    CUgraph graph = capture(stream, work);
    try (Releases afterwards = new Releases()) {
      afterwards.add(
          () -> Driver.check(JCudaDriver.cuGraphDestroy(graph), "giving a graph's nodes back"));
      CUgraphExec launches = new CUgraphExec();
      Driver.check(JCudaDriver.cuGraphInstantiate(launches, graph, 0), "making a graph");
      return new CudaRecording(launches, stream, context);
    }
  }

  /** Relaxed: loading a kernel or asking for memory elsewhere does no harm to a recording. */
  private static CUgraph capture(Stream stream, Runnable work) {
    Driver.check(
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED),
        "starting to record");
    CUgraph graph = new CUgraph();
    try {
      work.run();
    } catch (RuntimeException failure) {
      int result = JCudaDriver.cuStreamEndCapture(stream, graph);
      if (result == CUresult.CUDA_SUCCESS) {
        result = JCudaDriver.cuGraphDestroy(graph);
      }
      if (result != CUresult.CUDA_SUCCESS) {
        failure.addSuppressed(new DeviceException(Driver.describe(result, "ending to record")));
      }
      throw failure;
    }
    Driver.check(JCudaDriver.cuStreamEndCapture(stream, graph), "ending to record");
    return graph;
  }

  @Override
  public void replay() {
    if (closed) {
      throw new IllegalStateException("this recording has been closed");
    }
    context.accept(
        () -> Driver.check(JCudaDriver.cuGraphLaunch(launches, stream), "launching a graph"));
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      context.accept(
          () -> Driver.check(JCudaDriver.cuGraphExecDestroy(launches), "giving a graph back"));
    }
  }
}
