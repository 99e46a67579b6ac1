package dev.heddle.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** Where a command whose outcome is a picture paints it. */
final class PictureOutput {
  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the picture, a PNG.")
  private Path out = Path.of(""); // required: always set

  /** The file's name. */
  String name() {
    return out.toString();
  }

  /** Starts the file. */
  StagedFile open(StagedFiles staged) {
    return staged.open(out, Canvas.MOST_BYTES);
  }

  /** Paints, once it is known that the file can be written. */
  Written write(Supplier<Canvas> picture) throws IOException {
    Canvas.requireFonts();
    try (StagedFiles staged = new StagedFiles()) {
      StagedFile file = open(staged);
      picture.get().write(file.channel());
      staged.commit();
    }
    return new Written("picture", name());
  }
}
