package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heddle plot needle}: where in a prompt a fact is found. */
@Command(
    name = "needle",
    description =
        "Paint the needles of an evaluation as a grid of lengths and depths for each heads file.")
final class PlotNeedleCommand extends HeddleCommand {
  @Parameters(
      paramLabel = "FILE",
      description = "What 'heddle eval --tasks needle --json' printed.")
  private Path file = Path.of(""); // required: always set

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the picture, a PNG.")
  private Path out = Path.of(""); // required: always set

  PlotNeedleCommand(Console console) {
    super(console);
  }

  @Override
  Result execute() throws IOException {
    JsonPlace root = JsonPlace.read(file);
    if (!(ReportView.of(root) instanceof EvalView view)) {
      throw root.get("format").wrong(EvalView.FORMAT);
    }
    NeedleGrid grid = NeedleGrid.of(view, file.toString());
    Canvas.requireFonts();
    try (StagedFiles staged = new StagedFiles()) {
      StagedFile picture = staged.open(out, Canvas.MOST_BYTES);
      new NeedlePicture(grid).paint().write(picture.channel());
      staged.commit();
    }
    return new Written("picture", out.toString());
  }
}
