package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.EvalPlan;
import dev.heddle.search.EvalTask;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What an evaluation is written to besides the standard output. */
final class EvalFiles {
  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description =
          "Also paint the needles as a grid of lengths and depths for each heads file; receives a"
              + " PNG.")
  private Optional<Path> plot = Optional.empty();

  @Mixin private ReportOption html = new ReportOption();

  /**
   * Checks, before any work, that what is wanted can be made of what is planned.
   *
   * @param heads choices of heads that are judged
   * @throws InvalidInputException if it cannot
   */
  void requirePossible(EvalPlan plan, int heads) {
    if (plot.isPresent()) {
      if (!plan.tasks().contains(EvalTask.NEEDLE)) {
        throw new InvalidInputException("--plot paints needles; add needle to --tasks");
      }
      NeedleGrid.requirePaintable("--plot", heads, plan.tokens().size(), plan.depths().size());
      Canvas.requireFonts();
    }
  }

  /** Starts the files. */
  Opened open(StagedFiles staged) {
    return new Opened(plot.map(file -> staged.open(file, Canvas.MOST_BYTES)), html.open(staged));
  }

  /** The files that are wanted. */
  record Opened(Optional<StagedFile> picture, Optional<StagedFile> page) {
    void write(EvalReport report) throws IOException {
      if (picture.isPresent()) {
        EvalView view = EvalView.of(JsonPlace.of(report.json(), "the result"));
        new NeedlePicture(NeedleGrid.of(view, "the result")).paint().write(picture.get().channel());
      }
      if (page.isPresent()) {
        ReportOption.write(report, page.get());
      }
    }
  }
}
