package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.List;

/**
 * What an evaluation does.
 *
 * @param tasks what to judge by
 * @param tokens lengths of the prompts
 * @param depths where needles lie, 0 to 1
 * @param prompts prompts for each task, length and depth
 * @param questions most questions about facts to one prompt
 * @param seed decides windows, facts, places and questions
 */
public record EvalPlan(
    List<EvalTask> tasks,
    List<Integer> tokens,
    List<Double> depths,
    int prompts,
    int questions,
    long seed) {
  private static final int FEWEST_TOKENS = 64;

  /**
   * Checks the numbers.
   *
   * @throws InvalidInputException naming the one that is out of range
   */
  public EvalPlan {
    tasks = List.copyOf(tasks);
    tokens = List.copyOf(tokens);
    depths = List.copyOf(depths);
    if (tasks.isEmpty() || tokens.isEmpty() || depths.isEmpty()) {
      throw new InvalidInputException("an evaluation needs a task, a length and a depth");
    }
    for (int length : tokens) {
      if (length < FEWEST_TOKENS) {
        throw new InvalidInputException(
            "a length is %d; allowed: at least %d tokens".formatted(length, FEWEST_TOKENS));
      }
    }
    for (double depth : depths) {
      if (!(depth >= 0 && depth <= 1)) {
        throw new InvalidInputException("a depth is " + depth + "; allowed: 0 to 1");
      }
    }
    if (prompts < 1 || questions < 1) {
      throw new InvalidInputException(
          "there are %d prompts and %d questions; allowed: at least 1 of each"
              .formatted(prompts, questions));
    }
  }

  /** The prompts of one task and length, and one depth for needles. */
  record Cell(EvalTask task, int tokens, double depth) {}

  List<Cell> cells() {
    return tasks.stream()
        .flatMap(task ->
            tokens.stream()
                .flatMap(length ->
                    (task == EvalTask.NEEDLE ? depths : List.of(0.0))
                        .stream().map(depth -> new Cell(task, length, depth))))
        .toList();
  }
}
