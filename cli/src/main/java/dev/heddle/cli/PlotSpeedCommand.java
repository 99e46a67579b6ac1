package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  @Mixin private PictureOutput picture = new PictureOutput();

  PlotSpeedCommand(Console console) {
    super(console);
  }

  @Override
  Result execute() throws IOException {
    SpeedView view = SpeedFiles.read(files);
    return picture.write(() -> new SpeedPicture(view).paint());
  }
}
