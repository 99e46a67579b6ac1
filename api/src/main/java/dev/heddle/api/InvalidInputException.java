package dev.heddle.api;

import java.io.Serial;

/** An argument, shape, file or option that cannot be accepted. Nothing was computed or written. */
public class InvalidInputException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  public InvalidInputException(String message) {
    super(message);
  }

  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
