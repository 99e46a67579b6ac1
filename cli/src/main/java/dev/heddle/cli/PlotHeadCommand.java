package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.ModelShape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code heddle plot head}: what one head attends to, and what of it its index covers. */
@Command(
    name = "head",
    description =
        "Paint what one head attends to on a prompt, and which of it the head's index covers.",
    footer = {
      "",
      "The model reads the prompt densely, on the processor. Each pixel has the largest attention"
          + " weight of all its cells (query, key), so that no peak is lost: blue where the index"
          + " covers that cell, orange where it does not. docs/plots.md explains more."
    })
final class PlotHeadCommand extends PlotPromptCommand {
  @Option(names = "--layer", paramLabel = "N", required = true, description = "Layer, from 0.")
  private int layer;

  @Option(names = "--head", paramLabel = "N", required = true, description = "Query head, from 0.")
  private int head;

  PlotHeadCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  void check(ModelShape model) {
    requireIndex("--layer", layer, model.layers());
    requireIndex("--head", head, model.queryHeads());
  }

  private static void requireIndex(String option, int value, int count) {
    if (value < 0 || value >= count) {
      throw new InvalidInputException(
          "%s is %d; the model has 0 to %d".formatted(option, value, count - 1));
    }
  }

  @Override
  PlotWork begin(PlotWork.Setting setting, PlotWork.Engine engine) {
    return new HeadPlot(setting, engine, layer, head);
  }
}
