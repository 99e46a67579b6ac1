package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heddle report}: what searches and evaluations found, as a page. */
@Command(
    name = "report",
    description = {
      "Write what a search or an evaluation found as one HTML file.",
      "The file has its pictures in itself, needs no network and no script, and is light or dark as"
          + " the reader's system is. Several files become one report."
    })
final class ReportCommand extends HeddleCommand {
  @Parameters(
      paramLabel = "FILE",
      arity = "1..*",
      description = "What 'heddle search --json' or 'heddle eval --json' printed.")
  private List<Path> files = List.of();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the report, HTML.")
  private Path out = Path.of(""); // required: always set

  ReportCommand(Console console) {
    super(console);
  }

  @Override
  Result execute() throws IOException {
    List<ReportView> views = new ArrayList<>();
    for (Path file : files) {
      views.add(ReportView.of(JsonPlace.read(file)));
    }
    try (StagedFiles staged = new StagedFiles()) {
      staged.open(out, ReportPage.MOST_BYTES).write(ReportPage.of(views));
      staged.commit();
    }
    return new Written("report", out.toString());
  }
}
