package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/** Plants facts in a window of a text, so that text and first question have an exact length. */
final class DemoJobBuilder {
  /** A fact is planted at the next space, unless that is further than this. */
  private static final int FARTHEST_SPACE = 64;

  /** No tokenizer makes fewer tokens of a fact; a bound that costs nothing to check. */
  private static final int FEWEST_FACT_TOKENS = 8;

  /** Characters that are tokenized at once: the text is longer than what is used of it. */
  private static final int PIECE_CHARACTERS = 16_384;

  private final Function<String, int[]> tokenizer;
  private final int[] beginning;
  private final String text;

  /**
   * Makes a builder.
   *
   * @param tokenizer turns text into tokens, adding none of its own
   * @param beginning tokens that begin every text
   * @param text where windows are taken from
   */
  DemoJobBuilder(Function<String, int[]> tokenizer, int[] beginning, String text) {
    this.tokenizer = tokenizer;
    this.beginning = beginning.clone();
    this.text = text;
  }

  /**
   * How large the job is.
   *
   * @param tokens tokens of the prompt: text, facts and first question
   * @param facts facts planted
   * @param questions facts asked for
   * @param seed decides window, facts, places and questions
   */
  record Size(int tokens, int facts, int questions, long seed) {
    Size {
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
   * Makes the job.
   *
   * @throws InvalidInputException if the facts do not fit, or the text is too short
   */
  DemoJob build(Size size) {
    Random random = new Random(size.seed());
    List<Fact> facts = new FactGenerator(random).facts(size.facts());
    List<int[]> statements = facts.stream().map(fact -> tokenizer.apply(fact.statement())).toList();
    List<Fact> asked = new ArrayList<>(facts);
    Collections.shuffle(asked, random);
    asked = List.copyOf(asked.subList(0, size.questions()));
    int[] question = tokenizer.apply(asked.getFirst().question());
    int planted = statements.stream().mapToInt(statement -> statement.length).sum();
    int proseTokens = size.tokens() - beginning.length - planted - question.length;
    if (proseTokens < 1) {
      throw tooMany(size.facts(), size.tokens());
    }
    int[] prose = prose(proseTokens, random);
    TokenList prompt = new TokenList(size.tokens());
    prompt.addAll(beginning);
    plant(prompt, prose, statements, random);
    prompt.addAll(question);
    return new DemoJob(prompt.toArray(), asked);
  }

  private void plant(TokenList prompt, int[] prose, List<int[]> statements, Random random) {
    int[] space = tokenizer.apply(" ");
    int[] places = random.ints(statements.size(), 0, prose.length).sorted().toArray();
    int written = 0;
    for (int i = 0; i < places.length; i++) {
      int place = Math.max(written, nextSpace(prose, places[i], space[0]));
      prompt.addAll(Arrays.copyOfRange(prose, written, place));
      prompt.addAll(statements.get(i));
      written = place;
    }
    prompt.addAll(Arrays.copyOfRange(prose, written, prose.length));
  }

  private static InvalidInputException tooMany(int facts, int tokens) {
    return new InvalidInputException(
        "%d facts and a question do not fit a prompt of %d tokens; use fewer --facts or more --tokens"
            .formatted(facts, tokens));
  }

  private static int nextSpace(int[] prose, int from, int space) {
    int end = Math.min(prose.length, from + FARTHEST_SPACE);
    for (int place = from; place < end; place++) {
      if (prose[place] == space) {
        return place;
      }
    }
    return from;
  }

  /** {@code count} tokens of the text, from a random place in it. */
  private int[] prose(int count, Random random) {
    // A token is at least one character, as far as the text is ASCII.
    int lastStart = text.length() - count;
    if (lastStart < 0) {
      throw new InvalidInputException(
          "the text has %d characters, too few for %d tokens".formatted(text.length(), count));
    }
    int start = random.nextInt(lastStart + 1);
    TokenList prose = new TokenList(count);
    while (prose.size() < count) {
      int end = Math.min(text.length(), start + PIECE_CHARACTERS);
      int[] piece = tokenizer.apply(text.substring(start, end));
      if (piece.length == 0) {
        throw new InvalidInputException("the text ends before " + count + " tokens of it are read");
      }
      prose.addAll(Arrays.copyOf(piece, Math.min(piece.length, count - prose.size())));
      start = end;
    }
    return prose.toArray();
  }
}
