package dev.heddle.cli;

import dev.heddle.llm.GenerationOptions;
import dev.heddle.llm.Sampling;
import picocli.CommandLine.Option;

/** How an answer is made. */
final class GenerationArguments {
  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens to write at most; ${DEFAULT-VALUE} when not given.")
  private int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0",
      description = "Divides the scores before sampling; 0, the default, takes the best token.")
  private double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      defaultValue = "1",
      description = "Sample among the likeliest tokens that together reach this probability.")
  private double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Decides the sampling.")
  private long seed;

  GenerationOptions options() {
    return new GenerationOptions(maxNewTokens, new Sampling(temperature, topP, seed));
  }
}
