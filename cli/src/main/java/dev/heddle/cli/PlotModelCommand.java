package dev.heddle.cli;

import dev.heddle.runtime.ModelShape;
import picocli.CommandLine.Command;

/** {@code heddle plot model}: density, recall and error of every head. */
@Command(
    name = "model",
    description =
        "Paint density, recall and error of every head's index on a prompt, by layer and head.",
    footer = {
      "",
      "The model reads the prompt densely, on the processor; each layer's attention is then computed"
          + " again as the heads file says, from the same Q, K and V, so that a layer's figures do not"
          + " hang on the layers before it. docs/plots.md explains more."
    })
final class PlotModelCommand extends PlotPromptCommand {
  PlotModelCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  void check(ModelShape model) {
    // the command has no options of its own
  }

  @Override
  PlotWork begin(PlotWork.Setting setting, PlotWork.Engine engine) {
    return new ModelPlot(setting, engine);
  }
}
