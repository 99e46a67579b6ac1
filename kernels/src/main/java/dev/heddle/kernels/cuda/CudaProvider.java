package dev.heddle.kernels.cuda;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.DeviceException;
import dev.heddle.kernels.GpuStream;
import dev.heddle.kernels.MatrixProducts;
import dev.heddle.kernels.cuda.LibraryPlaces.Library;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Offers the CUDA backend on the first device that the process may use (the environment's {@code
 * CUDA_VISIBLE_DEVICES} chooses). This class itself must load without JCuda and without a driver.
 */
public final class CudaProvider implements BackendProvider {
  static final String NAME = "cuda";

  private static final int DEVICE = 0;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Availability availability() {
    try {
      return new CudaGuards(new ThisMachine()).check();
    } catch (DeviceException | UnsatisfiedLinkError failure) { // a driver that answers no guard
      return new Availability.Refused(
          String.valueOf(failure.getMessage()),
          "see whether nvidia-smi lists the GPU; after a driver update, restart the machine");
    }
  }

  @Override
  public List<String> details() {
    if (!(availability() instanceof Availability.Available)) {
      return List.of();
    }
    try {
      List<String> lines = new ArrayList<>(DeviceReport.ofDevice(DEVICE));
      lines.add(
          switch (streams()) {
            case Availability.Available(String library) -> "whole models: by " + library;
            case Availability.Refused(String reason, String remedy) ->
                "attention alone: " + reason + "; " + remedy;
          });
      return lines;
    } catch (DeviceException failure) { // such as a device without memory for a context
      return List.of("device " + DEVICE + ": " + failure.getMessage());
    }
  }

  @Override
  public AttentionBackend open(int threads) {
    JCudaNatives.load();
    return new CudaBackend(Device.open(DEVICE));
  }

  @Override
  public boolean hasStreams() {
    return true;
  }

  @Override
  public Availability streams() {
    Availability device = availability();
    if (!(device instanceof Availability.Available)) {
      return device;
    }
    int driverVersion = new ThisMachine().driverVersion();
    return cublasLt(driverVersion)
        .<Availability>map(library -> new Availability.Available(library.describe()))
        .orElseGet(() -> LibraryPlaces.ofProcess(Library.CUBLAS_LT).refusal(driverVersion));
  }

  @Override
  public GpuStream openStream() {
    JCudaNatives.load();
    CublasLt library = cublasLt(new ThisMachine().driverVersion()).orElseThrow();
    return new CudaStream(Device.open(DEVICE), library);
  }

  private static Optional<CublasLt> cublasLt(int driverVersion) {
    return CublasLt.find(
        LibraryPlaces.ofProcess(Library.CUBLAS_LT).candidates(driverVersion / 1000));
  }

  @Override
  public boolean hasMatrixProducts() {
    return false;
  }

  @Override
  public MatrixProducts openMatrixProducts(int threads) {
    throw new UnsupportedOperationException("the CUDA backend has no matrix products");
  }

  /** Where there is no driver nobody counts on the GPU. */
  @Override
  public boolean isExpected() {
    return new ThisMachine().hasDriver();
  }
}
