package dev.heddle.kernels;

import dev.heddle.api.HeddleException;
import java.io.Serial;

/**
 * CUDA text of a pattern does not compile: the message has file, line and what the compiler says.
 */
public final class KernelCompilationException extends HeddleException {
  @Serial private static final long serialVersionUID = 1;

  private static final int MOST_LINES = 24;

  /** All that the compiler said. */
  private final String log;

  /**
   * Makes the error.
   *
   * @param kernels the name of the kernels
   * @param how the compiler and what it compiled for
   * @param log all that the compiler said
   */
  public KernelCompilationException(String kernels, String how, String log) {
    super(
        "kernels '%s' do not compile with %s:%n%s".formatted(kernels, how, shortened(log.strip())));
    this.log = log;
  }

  /** All that the compiler said. */
  public String log() {
    return log;
  }

  private static String shortened(String log) {
    long left = log.lines().count() - MOST_LINES;
    String first = String.join("\n", log.lines().limit(MOST_LINES).toList());
    return left > 0 ? first + "\n... and " + left + " lines more" : first;
  }
}
