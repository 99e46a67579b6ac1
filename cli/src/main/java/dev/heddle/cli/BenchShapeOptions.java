package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The sizes of what is measured; what is not given depends on the backend. */
final class BenchShapeOptions {
  @Option(
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      description =
          "Lengths of the prompt, joined by commas: 32768,131072 on a GPU, 32768 on the processor.")
  private List<Integer> tokens = new ArrayList<>();

  @Option(
      names = "--heads",
      paramLabel = "N",
      description = "Query heads: 32 on a GPU, 2 on the processor.")
  private Optional<Integer> queryHeads = Optional.empty();

  @Option(
      names = "--key-value-heads",
      paramLabel = "N",
      description = "Key/value heads, which divide the query heads; a quarter of them, at least 1.")
  private Optional<Integer> keyValueHeads = Optional.empty();

  @Option(
      names = "--head-dim",
      paramLabel = "N",
      description = "Numbers per head, a multiple of 8; 128 when not given.")
  private Optional<Integer> headDim = Optional.empty();

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "float32, float16 or bfloat16; bfloat16 on a GPU, float32 on the processor.")
  private Optional<ElementType> type = Optional.empty();

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description = "Measured runs of each case: 10 on a GPU, 3 on the processor.")
  private Optional<Integer> repeat = Optional.empty();

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description =
          "Runs before them that are not measured, and more until a second has passed unless it is 0: 3 on a GPU, 1 on the"
              + " processor.")
  private Optional<Integer> warmup = Optional.empty();

  /**
   * The sizes for a backend.
   *
   * @throws InvalidInputException if a count is out of range
   */
  BenchSize size(String backend) {
    BenchSize standard = BenchSize.standard(backend);
    int heads = queryHeads.orElse(standard.queryHeads());
    int sharedHeads =
        keyValueHeads.orElse(
            queryHeads.isEmpty() ? standard.keyValueHeads() : divisorOf(queryHeads.get()));
    return new BenchSize(
        tokens.isEmpty() ? standard.tokens() : tokens,
        heads,
        sharedHeads,
        headDim.orElse(standard.headDim()),
        type.orElse(standard.type()),
        atLeast(0, "--warmup", warmup.orElse(standard.warmup())),
        atLeast(1, "--repeat", repeat.orElse(standard.repeat())));
  }

  private static int divisorOf(int heads) {
    return heads % 4 == 0 ? heads / 4 : 1;
  }

  private static int atLeast(int least, String option, int value) {
    if (value < least) {
      throw new InvalidInputException(
          "%s is %d; allowed: an integer from %d".formatted(option, value, least));
    }
    return value;
  }
}
