package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.io.Serial;

/**
 * A heads file, or a heads configuration built in code, that cannot be accepted. The message names
 * the file, the place in it, the value, and what is allowed.
 */
public final class HeadsFileException extends InvalidInputException {
  @Serial private static final long serialVersionUID = 1;

  /** The file's name. */
  private final String file;

  /** The place in the file. */
  private final String place;

  HeadsFileException(String file, String place, String problem) {
    super(message(file, place, problem));
    this.file = file;
    this.place = place;
  }

  HeadsFileException(String file, String place, String problem, Throwable cause) {
    super(message(file, place, problem), cause);
    this.file = file;
    this.place = place;
  }

  /** What is wrong has been said by {@code problem}, which did not know where. */
  HeadsFileException(String file, String place, InvalidInputException problem) {
    this(file, place, String.valueOf(problem.getMessage()), problem);
  }

  /** The file's name, as it was given. */
  public String file() {
    return file;
  }

  /**
   * The place in the file: a JSON path such as {@code "heads[2].options.sink"}, or a line; empty
   * when the whole file is meant.
   */
  public String place() {
    return place;
  }

  private static String message(String file, String place, String problem) {
    return place.isEmpty() ? file + ": " + problem : file + ": " + place + ": " + problem;
  }
}
