package dev.heddle.cli;

/** Runs cases over the tensors of one shape. */
interface BenchRunner extends AutoCloseable {
  /** Gets ready for one case; close it before the next. */
  Run prepare(BenchCase measured);

  @Override
  void close();

  /** One case, ready to be run as often as wanted. */
  interface Run extends AutoCloseable {
    BenchSample once();

    @Override
    void close();
  }
}
