package dev.heddle.cli;

/** How far a long piece of work has come. */
interface Progress extends AutoCloseable {
  /** Shows nothing. */
  Progress SILENT =
      new Progress() {
        @Override
        public void stepTo(long step) {
          // nobody watches
        }

        @Override
        public void close() {
          // nothing is shown
        }
      };

  /** {@code step} steps are done. */
  void stepTo(long step);

  /** Ends the display. */
  @Override
  void close();
}
