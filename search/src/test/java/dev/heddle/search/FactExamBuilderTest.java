package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.FactExamBuilder.Size;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FactExamBuilderTest {
  private static final int[] BEGINNING = {256};
  private static final String TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(2000);

  private final FactExamBuilder builder =
      new FactExamBuilder(new Prose(text -> text.chars().toArray(), BEGINNING, TEXT));

  @ParameterizedTest
  @CsvSource({"1023, 1, 1", "2048, 16, 16", "32768, 256, 64", "65537, 512, 3"})
  void promptIsExactlyAsLongAsAskedForAndSaysEveryFactOnce(int tokens, int facts, int questions) {
    FactExam job = builder.build(new Size(tokens, facts, questions, 7));
    int[] prompt = job.exam().prompt();
    assertThat(prompt).hasSize(tokens).startsWith(BEGINNING);
    assertThat(job.exam().promptTokens()).isEqualTo(tokens);
    assertThat(job.asked()).hasSize(questions).doesNotHaveDuplicates();
    String text = text(prompt);
    assertThat(text).endsWith(job.asked().getFirst().question());
    for (Fact fact : job.asked()) {
      assertThat(text).containsOnlyOnce(fact.statement());
    }
    assertThat(text.split("The secret number", -1)).hasSize(facts + 1);
  }

  @Test
  void aroundTheFactsStandsTheTextUnchanged() {
    FactExam job = builder.build(new Size(4096, 20, 20, 3));
    String rest = text(job.exam().prompt()).replace(job.asked().getFirst().question(), "");
    for (Fact fact : job.asked()) {
      rest = rest.replace(fact.statement(), "");
    }
    assertThat(TEXT).contains(rest);
  }

  @Test
  void theSeedDecidesEverything() {
    Size size = new Size(2048, 8, 4, 11);
    assertThat(builder.build(size).exam().prompt()).isEqualTo(builder.build(size).exam().prompt());
    assertThat(builder.build(size).exam().prompt())
        .isNotEqualTo(builder.build(new Size(2048, 8, 4, 12)).exam().prompt());
  }

  @Test
  void refusesWhatCannotBeBuilt() {
    refused(() -> builder.build(new Size(1000, 30, 1, 1)), "30 facts", "prompt of 1000");
    refused(() -> builder.build(new Size(1_000_000, 1, 1, 1)), "the text has 90000 characters");
    refused(() -> new Size(1000, 0, 0, 1), "--facts is 0");
    refused(() -> new Size(1000, 3, 4, 1), "--questions 4");
    refused(() -> new Size(1000, 1_000_000_000, 4, 1), "1000000000 facts", "1000");
    refused(() -> new Size(-5, 1, 1, 1), "-5");
  }

  private static void refused(Runnable action, String... words) {
    assertThatThrownBy(action::run)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll(words);
  }

  private static String text(int[] tokens) {
    return IntStream.of(tokens)
        .skip(1)
        .mapToObj(token -> String.valueOf((char) token))
        .collect(Collectors.joining());
  }
}
