package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.ElementType;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command that computes takes {@code --backend cuda}, and says why where it cannot. */
class NamedBackendTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"attend", "run", "demo", "bench"})
  @EnabledIf(value = "isRefused", disabledReason = "the CUDA backend can run here")
  void withoutAGpuOneLineHasTheReasonAndTheRemedy(String command) throws IOException {
    CommandRun run = CommandRun.heddle(arguments(command).toArray());
    assertThat(run.status()).as(run.err()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err())
        .startsWith("heddle: backend 'cuda' cannot run here. cuda: ")
        .contains(refused().reason() + "; " + refused().remedy());
    assertThat(folder.resolve("out.npy")).doesNotExist();
  }

  private List<Object> arguments(String command) throws IOException {
    Path model = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");
    return switch (command) {
      case "attend" -> {
        Path array = TestArrays.write(folder.resolve("x.npy"), ElementType.FLOAT32, 1, 1, 64, 32);
        Path out = folder.resolve("out.npy");
        yield List.of(
            "attend",
            "--q",
            array,
            "--k",
            array,
            "--v",
            array,
            "--pattern",
            "dense",
            "--out",
            out,
            "--backend",
            "cuda");
      }
      case "run" -> {
        Path prompt = Files.writeString(folder.resolve("prompt.txt"), "a warp and a weft");
        yield List.of("run", "--model", model, "--prompt-file", prompt, "--backend", "cuda");
      }
      case "demo" -> List.of("demo", "--tokens", 2048, "--backend", "cuda");
      default -> List.of("bench", "attention", "--backend", "cuda");
    };
  }

  private static Refused refused() {
    return (Refused) cuda().availability();
  }

  private static BackendProvider cuda() {
    return Backends.standard().providers().getFirst();
  }

  static boolean isRefused() {
    return cuda().availability() instanceof Refused;
  }
}
