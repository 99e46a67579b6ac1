package dev.heddle.cli;

import dev.heddle.api.BlockIndex;
import dev.heddle.runtime.Prefill;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Optional;

/** The open output files of {@code attend}. */
record AttendOutputs(
    StagedFiles files, ArrayOutput out, Optional<ArrayOutput> logSumExp, Optional<StagedFile> index)
    implements AutoCloseable {
  /** Writes what {@code prefill} computed. */
  void write(Prefill prefill) throws IOException {
    out.write(prefill.out().memory());
    if (logSumExp.isPresent()) {
      logSumExp.get().write(prefill.logSumExp());
    }
  }

  /** Writes the index of each head. */
  void writeIndex(List<BlockIndex> heads) {
    index.ifPresent(file -> IndexJson.write(heads, Channels.newOutputStream(file.channel())));
  }

  /** Moves the files into place. */
  void commit() throws IOException {
    files.commit();
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
