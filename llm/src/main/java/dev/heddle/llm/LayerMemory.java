package dev.heddle.llm;

/** Memory for the keys and values of layers, of which one at a time is open on the device. */
sealed interface LayerMemory permits ResidentLayers, StreamedLayers {
  /**
   * Opens a layer after the one before it.
   *
   * @param tokens tokens whose keys and values are there
   * @return its device address until the next one is opened
   */
  long open(int number, int tokens);

  /** Keeps what was put into the layer that is open: {@code count} tokens from {@code first} on. */
  void keep(int number, int first, int count);

  /** Whether layers lie where they lay for the token before, and opening them queues nothing. */
  boolean isResident();

  /** Gives it back. */
  void release();
}
