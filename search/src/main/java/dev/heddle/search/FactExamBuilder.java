package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Plants facts in a window of a text, so that text and first question have an exact length. */
public final class FactExamBuilder {
  /** No tokenizer makes fewer tokens of a fact; a bound that costs nothing to check. */
  private static final int FEWEST_FACT_TOKENS = 8;

  private final Prose prose;

  /** Makes a builder that takes its windows from {@code prose}. */
  public FactExamBuilder(Prose prose) {
    this.prose = prose;
  }

  /**
   * How large the exam is.
   *
   * @param tokens tokens of the prompt: text, facts and first question
   * @param facts facts planted
   * @param questions facts asked for
   * @param seed decides window, facts, places and questions
   */
  public record Size(int tokens, int facts, int questions, long seed) {
    public Size {
      if (facts < 1 || questions < 1 || questions > facts) {
        throw new InvalidInputException(
            "--facts is %d and --questions %d; allowed: at least 1, and no more questions than facts"
                .formatted(facts, questions));
      }
      if (facts > tokens / FEWEST_FACT_TOKENS) {
        throw tooMany(facts, tokens);
      }
    }
  }

  /**
   * Makes the exam.
   *
   * @throws InvalidInputException if the facts do not fit, or the text is too short
   */
  public FactExam build(Size size) {
    Random random = new Random(size.seed());
    List<Fact> facts = new FactGenerator(random).facts(size.facts());
    List<int[]> statements = facts.stream().map(fact -> prose.encode(fact.statement())).toList();
    List<Fact> asked = new ArrayList<>(facts);
    Collections.shuffle(asked, random);
    asked = List.copyOf(asked.subList(0, size.questions()));
    int[] question = prose.encode(asked.getFirst().question());
    int planted = statements.stream().mapToInt(statement -> statement.length).sum();
    int windowTokens = size.tokens() - prose.beginningTokens() - planted - question.length;
    if (windowTokens < 1) {
      throw tooMany(size.facts(), size.tokens());
    }
    int[] window = prose.window(windowTokens, random);
    int[] places = random.ints(statements.size(), 0, window.length).sorted().toArray();
    TokenList prompt = prose.start(size.tokens());
    prose.plant(prompt, window, statements, places);
    prompt.addAll(question);
    Exam exam = new Exam(prompt.toArray(), asked.stream().map(Fact::asQuestion).toList());
    return new FactExam(exam, asked);
  }

  private static InvalidInputException tooMany(int facts, int tokens) {
    return new InvalidInputException(
        "%d facts and a question do not fit a prompt of %d tokens; use fewer --facts or more --tokens"
            .formatted(facts, tokens));
  }
}
