package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;

/** What a report shows: the outcome of a search or of an evaluation. */
sealed interface ReportView permits EvalView, SearchView {
  /** The model's name. */
  String model();

  /**
   * Reads either.
   *
   * @throws InvalidInputException naming the file and the place in it, if it is neither
   */
  static ReportView of(JsonPlace root) {
    String format = root.find("format").map(JsonPlace::shown).orElse("missing");
    return switch (format) {
      case EvalView.FORMAT -> EvalView.of(root);
      case SearchView.FORMAT -> SearchView.of(root);
      default ->
          throw new InvalidInputException(
              "%s: \"format\" is %s; allowed: %s, %s, as 'heddle eval --json' and 'heddle search --json' print them"
                  .formatted(root.file(), format, EvalView.FORMAT, SearchView.FORMAT));
    };
  }
}
