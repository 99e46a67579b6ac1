package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The output files of one run: all are moved into place when all are whole, else none. */
final class StagedFiles implements AutoCloseable {
  private final List<StagedFile> files = new ArrayList<>();

  /** Starts a file; see {@link StagedFile#open}. */
  StagedFile open(Path target, long bytes) {
    StagedFile file = StagedFile.open(target, bytes);
    files.add(file);
    return file;
  }

  /** Moves all files into place. */
  void commit() throws IOException {
    for (StagedFile file : files) {
      file.finish();
    }
    for (StagedFile file : files) {
      file.move();
    }
  }

  /** Removes what was written, unless it was committed. */
  @Override
  public void close() throws IOException {
    for (StagedFile file : files) {
      file.close();
    }
  }
}
