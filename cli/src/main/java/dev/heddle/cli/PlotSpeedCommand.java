package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heddle plot speed}: times against lengths of prompts. */
@Command(
    name = "speed",
    description =
        "Paint times against lengths of prompts, dense and sparse, both on logarithmic axes.")
final class PlotSpeedCommand extends HeddleCommand {
  @Parameters(
      paramLabel = "FILE",
      arity = "1..*",
      description =
          "What 'heddle bench attention --json' or 'heddle bench prefill --json' printed; several"
              + " files must be of one of them.")
  private List<Path> files = List.of();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the picture, a PNG.")
  private Path out = Path.of(""); // required: always set

  PlotSpeedCommand(Console console) {
    super(console);
  }

  @Override
  Result execute() throws IOException {
    SpeedView view = SpeedFiles.read(files);
    Canvas.requireFonts();
    try (StagedFiles staged = new StagedFiles()) {
      StagedFile picture = staged.open(out, Canvas.MOST_BYTES);
      new SpeedPicture(view).paint().write(picture.channel());
      staged.commit();
    }
    return new Written("picture", out.toString());
  }
}
