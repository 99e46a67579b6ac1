package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagedFilesTest {
  @TempDir private Path folder;

  @Test
  void leavesTheOldFileUntilAllAreWhole() throws IOException {
    Path old = Files.writeString(folder.resolve("old"), "old");
    Path fresh = folder.resolve("fresh");
    try (StagedFiles files = new StagedFiles()) {
      StagedFile first = files.open(old, 3);
      StagedFile second = files.open(fresh, 5);
      write(first, "new");
      assertThat(old).hasContent("old");
      write(second, "fresh");
      assertThat(fresh).doesNotExist();
      files.commit();
    }
    assertThat(old).hasContent("new");
    assertThat(fresh).hasContent("fresh");
    assertThat(folder)
        .isDirectoryNotContaining(file -> file.getFileName().toString().startsWith("."));
  }

  @Test
  void aRunThatFailsLeavesNothingBehind() throws IOException {
    Path old = Files.writeString(folder.resolve("old"), "old");
    try (StagedFiles files = new StagedFiles()) {
      write(files.open(old, 3), "ne");
    }
    assertThat(old).hasContent("old");
    assertThat(folder)
        .isDirectoryContaining(old::equals)
        .isDirectoryNotContaining(file -> !file.equals(old));
  }

  @Test
  void writesBehindASymbolicLink() throws IOException {
    Path real = Files.writeString(folder.resolve("real"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);
    try (StagedFiles files = new StagedFiles()) {
      write(files.open(link, 3), "new");
      files.commit();
    }
    assertThat(link).isSymbolicLink();
    assertThat(real).hasContent("new");
  }

  @Test
  void refusesWhatCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    try (StagedFiles files = new StagedFiles()) {
      refused(files, folder.resolve("no/out.npy"), 1, "the folder " + folder.resolve("no"));
      refused(files, file.resolve("out.npy"), 1, "does not exist");
      refused(files, folder, 1, "it exists and is not a file");
      refused(files, folder.resolve("out.npy"), Long.MAX_VALUE, "are free there");
    }
    assertThat(folder.resolve("out.npy")).doesNotExist();
  }

  private static void refused(StagedFiles files, Path target, long bytes, String reason) {
    assertThatThrownBy(() -> files.open(target, bytes))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(target + " cannot be written: ")
        .hasMessageContaining(reason);
  }

  private static void write(StagedFile file, String text) throws IOException {
    file.channel().write(ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }
}
