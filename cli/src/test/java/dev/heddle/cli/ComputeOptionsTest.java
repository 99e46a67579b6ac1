package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the user hears of backends that are passed over. */
class ComputeOptionsTest {
  private static final Availability OLD =
      new Refused("the NVIDIA driver is for CUDA 12.2", "install a driver for CUDA 12.4 or later");

  @Test
  void autoSaysOnceWhyAGpuThatIsThereIsNotUsed() {
    assertThat(notes(new Machine("cuda", OLD, true)))
        .isEqualTo(
            "heddle: going on without cuda: the NVIDIA driver is for CUDA 12.2; install a driver"
                + " for CUDA 12.4 or later.\n");
  }

  @Test
  void autoIsSilentWhereThereIsNoGpuOrItIsUsed() {
    assertThat(notes(new Machine("cuda", OLD, false))).isEmpty();
    assertThat(notes(new Machine("cuda", new Available("a GPU"), true))).isEmpty();
  }

  @Test
  void aNamedBackendIsNotPassedOver() {
    assertThat(notes(new Machine("cuda", OLD, true), "--backend", "vector")).isEmpty();
  }

  private static String notes(Machine gpu, String... arguments) {
    ComputeOptions options = new ComputeOptions();
    new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("compute", spec(options)))
        .parseArgs(arguments);
    StringWriter err = new StringWriter();
    Console console = new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false);
    Machine processor = new Machine("vector", new Available("vectors"), true);
    options.noteFallback(console, new Backends(List.of(gpu, processor)));
    return err.toString();
  }

  private static CommandLine.Model.CommandSpec spec(ComputeOptions options) {
    return CommandLine.Model.CommandSpec.forAnnotatedObject(options);
  }

  /** A backend on some machine. */
  private record Machine(String name, Availability availability, boolean isExpected)
      implements BackendProvider {
    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("nothing is computed");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new AssertionError("nothing is computed");
    }
  }
}
