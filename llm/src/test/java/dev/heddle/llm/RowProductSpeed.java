package dev.heddle.llm;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;

/** Products of one row with the weights of Llama 3 8B, by cuBLASLt and by the decoder's kernel. */
final class RowProductSpeed {
  private static final int LAYERS = 20;

  private RowProductSpeed() {}

  public static void main(String[] arguments) {
    BackendProvider cuda =
        Backends.standard().providers().stream()
            .filter(BackendProvider::hasStreams)
            .findFirst()
            .orElseThrow();
    try (GpuStream stream = cuda.openStream()) {
      for (int[] sizes :
          new int[][] {
            {4096, 6144}, {4096, 4096}, {4096, 28_672}, {14_336, 4096}, {4096, 128_256}
          }) {
        long bytes = 2L * sizes[0] * sizes[1];
        GpuMatrix[] weights = new GpuMatrix[LAYERS];
        for (int i = 0; i < LAYERS; i++) {
          weights[i] =
              GpuMatrix.contiguous(
                  stream.allocate(bytes), ElementType.BFLOAT16, sizes[1], sizes[0]);
          stream.fill(weights[i].address(), (byte) 0, bytes);
        }
        GpuMatrix in = vector(stream, ElementType.BFLOAT16, sizes[0]);
        GpuMatrix out = vector(stream, ElementType.FLOAT32, sizes[1]);
        DecoderKernels kernels = new DecoderKernels(stream, ElementType.BFLOAT16);
        double[] rates = new double[2];
        for (int own = 0; own < 2; own++) {
          boolean isOwn = own == 1;
          Runnable all =
              () -> {
                for (GpuMatrix weight : weights) {
                  if (isOwn) {
                    kernels.rowProduct(in, weight, out, true);
                  } else {
                    stream.multiply(in, weight, out, true);
                  }
                }
              };
          all.run();
          try (var recording = stream.record(all)) {
            recording.replay();
            stream.forgetMarks();
            int from = stream.mark();
            for (int i = 0; i < 5; i++) {
              recording.replay();
            }
            rates[own] = 5.0 * LAYERS * bytes / stream.nanosBetween(from, stream.mark());
          }
        }
        System.out.printf(
            "%d x %d: cuBLASLt %.0f GB/s, own %.0f GB/s%n", sizes[1], sizes[0], rates[0], rates[1]);
        for (GpuMatrix weight : weights) {
          stream.free(weight.address());
        }
      }
    }
  }

  private static GpuMatrix vector(GpuStream stream, ElementType type, int width) {
    long address = stream.allocate((long) width * type.bytes());
    stream.fill(address, (byte) 0, (long) width * type.bytes());
    return GpuMatrix.contiguous(address, type, 1, width);
  }
}
