package dev.heddle.cli;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** A model, the text that it is to read, and the heads file by which. */
final class PromptedModel {
  private static final String HEADS_FILE = "heads.json";

  @Option(names = "--model", paramLabel = "DIR", required = true, description = "Model folder.")
  private Path folder = Path.of(""); // required: always set

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      required = true,
      description = "Text to read, UTF-8.")
  private Path promptFile = Path.of("");

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Heads file; DIR/heads.json, if it is there, when not given.")
  private Optional<Path> headsFile = Optional.empty();

  Path folder() {
    return folder;
  }

  String text() throws IOException {
    return TextFile.read(promptFile);
  }

  /** Whether the user names a heads file. */
  boolean namesHeads() {
    return headsFile.isPresent();
  }

  /** The heads of the file that is named, else of the model's own; where there is none, dense. */
  HeadsConfig heads(ModelShape model, Console console) {
    Path own = folder.resolve(HEADS_FILE);
    if (headsFile.isPresent()) {
      return ModelHeads.read(headsFile.get(), model);
    }
    if (Files.exists(own)) {
      return ModelHeads.read(own, model);
    }
    console.note("heddle: there is no " + own + " and no --heads: every head reads every token");
    return ModelHeads.dense(model);
  }
}
