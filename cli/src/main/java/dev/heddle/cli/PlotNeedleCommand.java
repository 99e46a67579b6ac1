package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  @Mixin private PictureOutput picture = new PictureOutput();

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
    return picture.write(() -> new NeedlePicture(grid).paint());
  }
}
