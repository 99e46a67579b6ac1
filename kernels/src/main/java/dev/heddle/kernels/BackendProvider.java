package dev.heddle.kernels;

import java.util.List;

/** One backend before it is opened: its name, whether it can run here, and how to start it. */
public interface BackendProvider {
  /** The name by which the backend is chosen. */
  String name();

  /** Looks at this machine; cheap and without side effects. */
  Availability availability();

  /**
   * More lines about what the backend would run on, for a user who asks; may take a second. Empty
   * where {@link #availability} says it all, and where the backend cannot run.
   */
  default List<String> details() {
    return List.of();
  }

  /**
   * Whether a user of this machine would expect the backend to run, so that doing without it must
   * be said. Not so where what it runs on is plainly not there.
   */
  default boolean isExpected() {
    return true;
  }

  /**
   * Starts the backend.
   *
   * @param threads threads to compute with, at least 1
   */
  AttentionBackend open(int threads);

  /** Whether the backend has matrix products of its own. */
  default boolean hasMatrixProducts() {
    return true;
  }

  /**
   * Starts the matrix products that run on the same kind of processor.
   *
   * @param threads threads to compute with, at least 1
   * @throws UnsupportedOperationException if there are none
   */
  MatrixProducts openMatrixProducts(int threads);

  /** Whether the backend is on a GPU, which can do other work beside attention. */
  default boolean hasStreams() {
    return false;
  }

  /** Whether {@link #openStream} can run here. */
  default Availability streams() {
    return new Availability.Refused(name() + " is not on a GPU", "use another backend");
  }

  /**
   * Opens a stream for work beside attention.
   *
   * @throws DeviceException if the device does not start
   * @throws UnsupportedOperationException if {@link #streams} refuses it
   */
  default GpuStream openStream() {
    throw new UnsupportedOperationException(name() + " has no streams");
  }
}
