package dev.heddle.kernels;

/** One backend before it is opened: its name, whether it can run here, and how to start it. */
public interface BackendProvider {
  /** The name by which the backend is chosen. */
  String name();

  /** Looks at this machine; cheap and without side effects. */
  Availability availability();

  /**
   * Starts the backend.
   *
   * @param threads threads to compute with, at least 1
   */
  AttentionBackend open(int threads);

  /**
   * Starts the matrix products that run on the same kind of processor.
   *
   * @param threads threads to compute with, at least 1
   */
  MatrixProducts openMatrixProducts(int threads);
}
