package dev.heddle.kernels;

import dev.heddle.api.HeddleException;
import java.io.Serial;

/** A backend was asked for that cannot run here; the message carries every refusal. */
public final class BackendUnavailableException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  /** Makes the error. */
  public BackendUnavailableException(String message) {
    super(message);
  }
}
