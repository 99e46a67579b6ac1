package dev.heddle.api;

import java.io.Serial;

/** An argument, shape, file or option that cannot be accepted. Nothing was computed or written. */
public class InvalidInputException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  /** Makes the error. */
  public InvalidInputException(String message) {
    super(message);
  }

  /** Makes the error that {@code cause} led to. */
  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
