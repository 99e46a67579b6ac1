package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.FactExamBuilder.Size;
import dev.heddle.search.SearchSample.Continuation;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SearchSampleTest {
  private static final Prose PROSE =
      new Prose(
          text -> text.chars().toArray(),
          new int[] {256},
          "The quick brown fox jumps over the lazy dog. ".repeat(200));

  @Test
  void behindThePromptStandAnswersAndMoreQuestionsWithTheirAnswers() {
    FactExam exam = new FactExamBuilder(PROSE).build(new Size(2048, 8, 3, 1));
    SearchSample sample = SearchSample.of(exam, PROSE);

    assertThat(sample.prompt()).isEqualTo(exam.exam().prompt());
    assertThat(sample.continuations()).hasSize(3);
    Fact first = exam.asked().getFirst();
    assertThat(text(sample.continuations().getFirst().tokens())).isEqualTo(first.number());
    Fact second = exam.asked().get(1);
    assertThat(text(sample.continuations().get(1).tokens()))
        .isEqualTo("]. " + second.question() + second.number());
    assertThat(sample.tokens())
        .isEqualTo(2048 + sample.continuations().stream().mapToInt(Continuation::length).sum());
  }

  /** Of the first answer the prompt predicts the first digit. */
  @Test
  void placesOfAnswersAreThoseThatPredictThem() {
    assertThat(new Continuation(new int[6], 6).answerPositions()).containsExactly(0, 1, 2, 3, 4);
    assertThat(new Continuation(new int[10], 3).answerPositions()).containsExactly(6, 7, 8);
  }

  @Test
  void aSampleHasTwoTokensAtLeast() {
    assertThatThrownBy(() -> SearchSample.of(new int[] {1}))
        .isInstanceOf(InvalidInputException.class);
  }

  private static String text(int[] tokens) {
    return IntStream.of(tokens)
        .mapToObj(token -> String.valueOf((char) token))
        .collect(Collectors.joining());
  }
}
