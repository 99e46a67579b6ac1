package dev.heddle.cli;

import dev.heddle.search.Fact;
import dev.heddle.search.Reading;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One reading of the text, and its answers.
 *
 * @param reading what was measured
 * @param answers what was answered, in the order of the questions
 */
record DemoRun(Reading reading, List<Answer> answers) {
  DemoRun {
    answers = List.copyOf(answers);
  }

  /** The run in which {@code reading} came of an exam about {@code facts}. */
  static DemoRun of(Reading reading, List<Fact> facts) {
    return new DemoRun(
        reading,
        IntStream.range(0, facts.size())
            .mapToObj(i -> new Answer(facts.get(i), reading.answers().get(i).text()))
            .toList());
  }

  /** What the model answered to a question about {@code fact}. */
  record Answer(Fact fact, String text) {
    boolean right() {
      return text.equals(fact.number() + Fact.END_OF_ANSWER);
    }
  }

  /** Answers that are right in every digit. */
  long right() {
    return answers.stream().filter(Answer::right).count();
  }

  Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("firstTokenSeconds", Shown.toSeconds(reading.firstTokenNanos()));
    object.put("indexSeconds", Shown.toSeconds(reading.indexNanos()));
    object.put("attentionSeconds", Shown.toSeconds(reading.attentionNanos()));
    object.put("restSeconds", Shown.toSeconds(reading.restNanos()));
    object.put("density", reading.density());
    object.put("right", right());
    object.put("answers", answers.stream().map(DemoRun::json).toList());
    return object;
  }

  private static Map<String, Object> json(Answer answer) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("word", answer.fact().word());
    object.put("number", answer.fact().number());
    object.put("answer", answer.text());
    object.put("right", answer.right());
    return object;
  }
}
