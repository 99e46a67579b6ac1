package dev.heddle.cli;

import dev.heddle.llm.Generation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A text that was read once, and answers to questions about it. */
record InterviewReport(int textTokens, long readNanos, List<Answer> answers) implements Result {
  InterviewReport {
    answers = List.copyOf(answers);
  }

  /** One answer, which has been printed already where people read it. */
  record Answer(String question, String text, int questionTokens, Generation generation) {}

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("textTokens", textTokens);
    object.put("readSeconds", Shown.toSeconds(readNanos));
    object.put("answers", answers.stream().map(InterviewReport::json).toList());
    return object;
  }

  @Override
  public void print(Console console) {
    for (Answer answer : answers) {
      console.note(
          "%s: %d tokens, the first after %s"
              .formatted(
                  answer.question().strip(),
                  answer.generation().tokens().size(),
                  Shown.seconds(answer.generation().firstTokenNanos())));
    }
  }

  private static Map<String, Object> json(Answer answer) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("question", answer.question());
    object.put("text", answer.text());
    object.put("questionTokens", answer.questionTokens());
    object.put("newTokens", answer.generation().tokens().size());
    object.put("firstTokenSeconds", Shown.toSeconds(answer.generation().firstTokenNanos()));
    object.put("density", answer.generation().density());
    return object;
  }
}
