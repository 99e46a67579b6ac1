package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * What heads are judged by. All but {@link #TEXT} follow the recipes of RULER.
 *
 * @see <a href="https://arxiv.org/abs/2404.06654">RULER: What's the Real Context Size of Your
 *     Long-Context Language Models? (2024)</a>
 */
public enum EvalTask {
  /** Many facts in a text, questions about some of them. */
  FACTS("facts", "many facts planted in a text"),
  /** One fact in a text, at each of several depths. */
  NEEDLE("needle", "one fact planted at a certain depth of a text"),
  /** A chain of variables, each assigned the one before, in a text. */
  VARIABLES("variables", "all variables of a chain of assignments"),
  /** The words that stand most often in a list. */
  COMMON_WORDS("common-words", "the ten most common words of a list"),
  /** The words that stand most often in a list whose frequencies fall slowly. */
  FREQUENT_WORDS("frequent-words", "the three most frequent words of a list"),
  /** How well a text is predicted, in bits per byte. */
  TEXT("text", "bits per byte of a text");

  private final String key;
  private final String description;

  EvalTask(String key, String description) {
    this.key = key;
    this.description = description;
  }

  /** The name by which it is asked for. */
  public String key() {
    return key;
  }

  /** What it asks for, in a few words. */
  public String description() {
    return description;
  }

  /**
   * The task called {@code key}.
   *
   * @throws InvalidInputException if there is none, naming those that there are
   */
  public static EvalTask of(String key) {
    return Arrays.stream(values())
        .filter(task -> task.key.equals(key))
        .findFirst()
        .orElseThrow(() ->
            new InvalidInputException(
                "there is no task \"%s\"; allowed: %s"
                    .formatted(
                        key,
                        Arrays.stream(values())
                            .map(EvalTask::key)
                            .collect(Collectors.joining(", ")))));
  }
}
