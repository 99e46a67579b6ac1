package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class InfoCommandTest {
  @Test
  void showsTheMachineTheBackendsAndTheModels() {
    assertThat(CommandRun.heddle("info").succeeded().out())
        .contains("Heddle", "Java", "25", "cuda", "vector", "reference", "byte-llama-5m");
  }

  @Test
  void showsTheSameAsJson() {
    JsonNode info = CommandRun.json("info");
    assertThat(info.get("threads").asInt()).isPositive();
    assertThat(info.get("backends").size()).isEqualTo(3);
    assertThat(info.get("backends").get(0).get("name").asString()).isEqualTo("cuda");
    JsonNode reference = info.get("backends").get(2);
    assertThat(reference.get("name").asString()).isEqualTo("reference");
    assertThat(reference.get("available").asBoolean()).isTrue();
    assertThat(info.get("models").get(0).asString()).endsWith("models/byte-llama-5m");
  }

  @Test
  void saysWhyABackendCannotRunAndWhatToDo(@TempDir Path empty) throws IOException {
    StringWriter out = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(out), false);
    Backends backends = new Backends(List.of(new Refused()));
    Result info = new InfoCommand(console, new Home(empty), backends).execute();
    info.print(console);
    assertThat(out.toString()).contains("loom", "cannot run: no warp; thread one", "none");
    assertThat(info.json().toString())
        .contains("available=false", "reason=no warp", "remedy=thread one");
  }

  @Test
  void showsDevicesTheirMemoryAndTheImagesThatFit(@TempDir Path empty) throws IOException {
    StringWriter out = new StringWriter();
    Console console = new Console(new PrintWriter(out), new PrintWriter(out), false);
    Result info =
        new InfoCommand(console, new Home(empty), new Backends(List.of(new TwoDevices())))
            .execute();
    info.print(console);
    assertThat(out.toString().lines().map(String::strip))
        .containsSequence(
            "cuda  can run: NVIDIA Test, compute capability 9.0",
            "device 0: NVIDIA Test, 70000 MiB free; the shared kernel images fit",
            "device 1: NVIDIA Other");
    assertThat(info.json().toString()).contains("available=true", "details=[device 0: NVIDIA Test");
  }

  /** A machine with two GPUs. */
  private static final class TwoDevices implements BackendProvider {
    @Override
    public String name() {
      return "cuda";
    }

    @Override
    public Availability availability() {
      return new Availability.Available("NVIDIA Test, compute capability 9.0");
    }

    @Override
    public List<String> details() {
      return List.of(
          "device 0: NVIDIA Test, 70000 MiB free; the shared kernel images fit",
          "device 1: NVIDIA Other");
    }

    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("only looked at");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new AssertionError("only looked at");
    }
  }

  /** A backend that never runs. */
  private static final class Refused implements BackendProvider {
    @Override
    public String name() {
      return "loom";
    }

    @Override
    public Availability availability() {
      return new Availability.Refused("no warp", "thread one");
    }

    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("was refused");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new AssertionError("was refused");
    }
  }
}
