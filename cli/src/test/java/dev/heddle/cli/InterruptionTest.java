package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Processes that are told to end while they work. */
class InterruptionTest {
  private static final Path MODEL = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");
  private static final Path TEXT = CommandRun.REPOSITORY.resolve("texts/jargon-file.txt");

  /** Of the masks that Linux shows: signal number 2. */
  private static final long SIGINT_BIT = 2;

  @TempDir private Path folder;
  @TempDir private Path logs;

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void anUnfinishedFileIsRemovedAndTheOldOneStays(String signal, int status)
      throws IOException, InterruptedException {
    assumeFalse(signal.equals("INT") && interruptsAreIgnored(), "this process ignores SIGINT");
    Path picture = Files.writeString(folder.resolve("picture.png"), "the old one");
    try (ChildCommand child =
        ChildCommand.start(
            logs,
            "plot",
            "model",
            "--model",
            MODEL,
            "--prompt-file",
            TEXT,
            "--tokens",
            60_000,
            "--out",
            picture)) {
      child.await(() -> files().size() > 1); // the new file lies beside the old one
      child.signal(signal);
      assertThat(child.status()).isEqualTo(status);
      assertThat(files()).containsExactly(picture);
      assertThat(picture).hasContent("the old one");
      assertThat(child.err()).contains("heddle: interrupted").doesNotContain("\tat ", "internal");
      assertThat(child.out()).isEmpty();
    }
  }

  @Test
  void aReadingEndsWithOneMessage() throws IOException, InterruptedException {
    Path prompt = folder.resolve("prompt.txt");
    Files.writeString(prompt, Files.readString(TEXT).substring(0, 100_000));
    try (ChildCommand child =
        ChildCommand.start(
            logs, "run", "--model", MODEL, "--prompt-file", prompt, "--dense", "--json")) {
      child.await(() -> child.err().contains("reading"));
      child.signal("TERM");
      assertThat(child.status()).isEqualTo(143);
      assertThat(child.err())
          .containsOnlyOnce("heddle: interrupted")
          .doesNotContain("\tat ", "internal");
      assertThat(child.out()).contains("\"interrupted\"", "130");
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  /** Whether SIGINT is ignored here, and so by children: jobs in a shell's background are so. */
  private static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .anyMatch(mask -> (Long.parseUnsignedLong(mask, 16) & SIGINT_BIT) != 0);
  }
}
