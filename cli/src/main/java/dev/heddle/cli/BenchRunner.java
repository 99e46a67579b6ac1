package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;

/** Runs cases over the tensors of one shape. */
interface BenchRunner extends AutoCloseable {
  /** Gets ready for one case; close it before the next. */
  Run prepare(BenchCase measured);

  /**
   * What the last run computed; valid until the next run.
   *
   * @param arena where a copy lives if one is needed, a shared one
   */
  HeadTensor output(Arena arena);

  @Override
  void close();

  /** One case, ready to be run as often as wanted. */
  interface Run extends AutoCloseable {
    BenchSample once();

    @Override
    void close();
  }
}
