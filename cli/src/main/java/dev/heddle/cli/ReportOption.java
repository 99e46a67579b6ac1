package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where a command that has much to say writes it as a page. */
final class ReportOption {
  @Option(
      names = "--html",
      paramLabel = "FILE",
      description =
          "Also write a report as one HTML file that needs nothing else, as 'heddle report' makes it"
              + " of --json.")
  private Optional<Path> html = Optional.empty();

  /** Starts the file, if it is wanted. */
  Optional<StagedFile> open(StagedFiles files) {
    return html.map(file -> files.open(file, ReportPage.MOST_BYTES));
  }

  /** Writes what {@code result} found. */
  static void write(Result result, StagedFile file) throws IOException {
    file.write(ReportPage.of(List.of(ReportView.of(JsonPlace.of(result.json(), "the result")))));
  }
}
