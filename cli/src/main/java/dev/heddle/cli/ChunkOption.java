package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.LlamaModel;
import picocli.CommandLine.Option;

/** In what portions prompts are read. */
final class ChunkOption {
  @Option(
      names = "--chunk",
      paramLabel = "N",
      description =
          "Read prompts in chunks of N tokens, each attending to all before it, which takes less"
              + " memory to compute with; in one pass when not given. 'heddle patterns' says what"
              + " that changes.")
  private int tokens = LlamaModel.Settings.ONE_PASS;

  /** {@code settings} with chunks of this length. */
  LlamaModel.Settings in(LlamaModel.Settings settings) {
    return settings.withChunk(require(tokens));
  }

  /** What a report says behind the length of a prompt; nothing where it is read in one pass. */
  static String shown(int chunkTokens, int promptTokens) {
    return chunkTokens < promptTokens ? " in chunks of " + Shown.count(chunkTokens) : "";
  }

  /** Refuses a length that no chunk can have. */
  static int require(int chunkTokens) {
    if (chunkTokens < 1) {
      throw new InvalidInputException("--chunk is " + chunkTokens + "; allowed: an integer from 1");
    }
    return chunkTokens;
  }
}
