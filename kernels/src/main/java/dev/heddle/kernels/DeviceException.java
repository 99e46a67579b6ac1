package dev.heddle.kernels;

import dev.heddle.api.HeddleException;
import java.io.Serial;

/** An operation on a device failed; the message says which, how, and what can be done. */
public class DeviceException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  /** Makes the error. */
  public DeviceException(String message) {
    super(message);
  }
}
