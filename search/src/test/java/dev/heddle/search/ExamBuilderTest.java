package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.ExamBuilder.Wanted;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExamBuilderTest {
  private static final String TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(2000);

  private final ExamBuilder builder =
      new ExamBuilder(new Prose(text -> text.chars().toArray(), new int[] {256}, TEXT));

  @ParameterizedTest
  @EnumSource(names = "TEXT", mode = EnumSource.Mode.EXCLUDE)
  void theSeedDecidesEverything(EvalTask task) {
    assertThat(exam(task, 4096, 0.5, 1).prompt()).isEqualTo(exam(task, 4096, 0.5, 1).prompt());
    assertThat(exam(task, 4096, 0.5, 1).prompt()).isNotEqualTo(exam(task, 4096, 0.5, 2).prompt());
  }

  @ParameterizedTest
  @EnumSource(names = "TEXT", mode = EnumSource.Mode.EXCLUDE)
  void promptsAreAsLongAsAskedFor(EvalTask task) {
    int tokens = exam(task, 4096, 0.5, 1).promptTokens();
    assertThat(tokens).isLessThanOrEqualTo(4096).isGreaterThan(4096 - 30);
  }

  @ParameterizedTest
  @EnumSource(names = "TEXT", mode = EnumSource.Mode.EXCLUDE)
  void whatIsTooShortIsRefused(EvalTask task) {
    assertThatThrownBy(() -> exam(task, 20, 0.5, 1)).isInstanceOf(InvalidInputException.class);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0.25, 500", "0.5, 1000", "1, 1935"})
  void aNeedleLiesAtItsDepth(double depth, int place) {
    Exam exam = exam(EvalTask.NEEDLE, 2048, depth, 3);
    String text = text(exam);
    Matcher statement = Pattern.compile(" The secret number of (\\w+) is \\[").matcher(text);
    assertThat(statement.find()).isTrue();
    assertThat(statement.start()).isBetween(place - 40, place + 70);
    assertThat(text)
        .endsWith(" What is the secret number of %1$s? It is [%1$s:".formatted(statement.group(1)));
    assertThat(exam.questions()).hasSize(1);
  }

  @Test
  void variablesFormAChainInTheOrderOfTheText() {
    Exam exam = exam(EvalTask.VARIABLES, 4096, 0, 5);
    List<String> names = exam.questions().getFirst().expected();
    assertThat(names).hasSize(5).doesNotHaveDuplicates();
    Matcher first =
        Pattern.compile(" VAR " + names.getFirst() + " = (\\d{5})\\. ").matcher(text(exam));
    assertThat(first.find()).isTrue();
    assertThat(text(exam)).contains("have the value " + first.group(1));
    int place = first.start();
    for (int i = 1; i < names.size(); i++) {
      int next = text(exam).indexOf(" VAR %s = VAR %s. ".formatted(names.get(i), names.get(i - 1)));
      assertThat(next).isGreaterThan(place);
      place = next;
    }
  }

  @Test
  void commonWordsStandMoreOftenThanAllOthers() {
    Exam exam = exam(EvalTask.COMMON_WORDS, 8192, 0, 5);
    List<String> expected = exam.questions().getFirst().expected();
    Map<String, Long> counts = counts(exam);
    assertThat(expected).hasSize(10);
    counts.forEach((word, count) -> assertThat(count).isEqualTo(expected.contains(word) ? 30 : 3));
    assertThat(counts.size()).isGreaterThan(50);
  }

  @Test
  void frequentWordsAreTheMostFrequent() {
    Exam exam = exam(EvalTask.FREQUENT_WORDS, 8192, 0, 5);
    Map<String, Long> counts = counts(exam);
    List<String> sorted =
        counts.keySet().stream()
            .sorted(Comparator.comparing((String word) -> counts.get(word)).reversed())
            .toList();
    assertThat(exam.questions().getFirst().expected())
        .containsExactlyElementsOf(sorted.subList(0, 3));
  }

  @Test
  void anAnswerIsRightWhenItContainsAllThatIsExpected() {
    Question question = new Question("", List.of("bobi", "tatu"), "\n", 20);
    assertThat(question.accepts(" tatu, bobi\n")).isTrue();
    assertThat(question.accepts(" tatu, bob\n")).isFalse();
  }

  private Exam exam(EvalTask task, int tokens, double depth, long seed) {
    return builder.build(new Wanted(task, tokens, depth, 64, seed));
  }

  private static Map<String, Long> counts(Exam exam) {
    String list = text(exam);
    return Arrays.stream(list.substring(1, list.indexOf(" The ")).split(" "))
        .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
  }

  private static String text(Exam exam) {
    return IntStream.of(exam.prompt())
        .skip(1)
        .mapToObj(token -> String.valueOf((char) token))
        .collect(Collectors.joining());
  }
}
