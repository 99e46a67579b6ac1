package dev.heddle.search;

import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.Prefilled;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.Reading.Answer;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a model read an exam's text and answer its questions, one after the other: each question is
 * appended to the text and to the answers before it.
 */
public final class Examiner {
  private final LlamaModel model;
  private final TextTokenizer tokenizer;

  /** Makes an examiner; both parts stay the caller's to close. */
  public Examiner(LlamaModel model, TextTokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  /** Tokens that questions and answers take behind the prompt. */
  public int tokensBehindPrompt(Exam exam) {
    return exam.questions().stream().mapToInt(Question::mostTokens).sum()
        + exam.questions().stream()
            .skip(1)
            .mapToInt(question -> continuation(question).length)
            .sum();
  }

  /**
   * Gives the exam.
   *
   * @param name what the listener is told that this is
   * @param attention computes the attention of the text and of each question
   */
  public Reading examine(String name, SparseAttention attention, Exam exam, StepListener listener) {
    int capacity = exam.promptTokens() + tokensBehindPrompt(exam);
    try (KeyValueCache cache = model.newCache(capacity)) {
      long start = System.nanoTime();
      Prefilled prefilled =
          model.prefill(
              attention,
              cache,
              exam.prompt(),
              (_, fraction) -> listener.onStep(name + ": reading", fraction));
      int token = prefilled.logits().greatest(0);
      long firstTokenNanos = System.nanoTime() - start;
      List<Answer> answers = new ArrayList<>();
      for (Question question : exam.questions()) {
        if (!answers.isEmpty()) {
          token = ask(attention, cache, question);
        }
        answers.add(new Answer(question, answer(attention, cache, token, question)));
        listener.onStep(name + ": answering", (double) answers.size() / exam.questions().size());
      }
      return new Reading(firstTokenNanos, prefilled.reports(), answers);
    }
  }

  /** Appends a question; returns the first token of the answer. */
  private int ask(SparseAttention attention, KeyValueCache cache, Question question) {
    return model
        .prefill(attention, cache, continuation(question), PrefillProgress.SILENT)
        .logits()
        .greatest(0);
  }

  /** Decodes greedily from {@code first} to the end of the answer, whose last token is not read. */
  private String answer(
      SparseAttention attention, KeyValueCache cache, int first, Question question) {
    TokenList answer = new TokenList(question.mostTokens());
    int token = first;
    while (true) {
      answer.add(token);
      String text = tokenizer.decode(answer.toArray());
      if (text.endsWith(question.end())
          || answer.size() == question.mostTokens()
          || model.config().endTokens().contains(token)) {
        return text;
      }
      token = model.decode(attention, cache, token).greatest(0);
    }
  }

  private int[] continuation(Question question) {
    return tokenizer.encodeContinuation(question.text());
  }
}
