package dev.heddle.cli;

import dev.heddle.llm.TextTokenizer;
import dev.heddle.search.Prose;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The text that prompts are made of. */
final class ModelTexts {
  private static final String BUNDLED = "jargon-file.txt";

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description =
          "Text that prompts are cut from, UTF-8; the bundled jargon-file.txt when not given.")
  private Optional<Path> file = Optional.empty();

  /** The file. */
  Path file(Home home) {
    return file.orElse(home.text(BUNDLED));
  }

  /** Its windows, for a model with {@code tokenizer}. */
  Prose prose(Home home, TextTokenizer tokenizer) throws IOException {
    return new Prose(
        tokenizer::encodeContinuation, tokenizer.encode(""), TextFile.read(file(home)));
  }
}
