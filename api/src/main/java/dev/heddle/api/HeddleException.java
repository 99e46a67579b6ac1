package dev.heddle.api;

import java.io.Serial;

/**
 * The root of Heddle's typed errors. Messages are written for the user: what, where, and what is
 * allowed.
 */
public class HeddleException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  /** Makes the error. */
  public HeddleException(String message) {
    super(message);
  }

  /** Makes the error that {@code cause} led to. */
  public HeddleException(String message, Throwable cause) {
    super(message, cause);
  }
}
