package dev.heddle.cli;

import dev.heddle.cli.DemoRun.Answer;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.Logits;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.Prefilled;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.SparseAttention;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a model read a job's text and answer its questions, one after the other: each question is
 * appended to the text and to the answers before it, as in the texts that the model was trained on.
 */
final class Conversation {
  /** Six digits and the bracket. */
  private static final int ANSWER_TOKENS = 7;

  private static final int PROGRESS_STEPS = 1000;

  private final LlamaModel model;
  private final TextTokenizer tokenizer;
  private final Console console;

  Conversation(LlamaModel model, TextTokenizer tokenizer, Console console) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.console = console;
  }

  /** Tokens that questions and answers take behind the prompt. */
  int tokensBehindPrompt(DemoJob job) {
    return ANSWER_TOKENS
        + job.asked().stream()
            .skip(1)
            .mapToInt(fact -> continuation(fact).length + ANSWER_TOKENS)
            .sum();
  }

  /**
   * Does the job.
   *
   * @param name what the progress bar calls this run
   * @param attention computes the attention of the text and of each question
   */
  DemoRun run(String name, SparseAttention attention, DemoJob job) {
    int capacity = job.promptTokens() + tokensBehindPrompt(job);
    try (KeyValueCache cache = model.newCache(capacity)) {
      long start = System.nanoTime();
      Prefilled prefilled = read(name + ": reading", attention, cache, job.prompt());
      int token = prefilled.logits().greatest(0);
      long firstTokenNanos = System.nanoTime() - start;
      List<Answer> answers = new ArrayList<>();
      try (Progress progress = console.progress(name + ": answering", job.asked().size())) {
        for (Fact fact : job.asked()) {
          if (!answers.isEmpty()) {
            token = ask(attention, cache, fact);
          }
          answers.add(new Answer(fact, answer(attention, cache, token)));
          progress.stepTo(answers.size());
        }
      }
      return new DemoRun(firstTokenNanos, prefilled.reports(), answers);
    }
  }

  private Prefilled read(
      String task, SparseAttention attention, KeyValueCache cache, int[] prompt) {
    try (Progress progress = console.progress(task, PROGRESS_STEPS)) {
      return model.prefill(
          attention,
          cache,
          prompt,
          (layer, fraction) -> progress.stepTo((long) (fraction * PROGRESS_STEPS)));
    }
  }

  /** Appends a question; returns the first token of the answer. */
  private int ask(SparseAttention attention, KeyValueCache cache, Fact fact) {
    return model
        .prefill(attention, cache, continuation(fact), PrefillProgress.SILENT)
        .logits()
        .greatest(0);
  }

  /** Decodes greedily from {@code first} to the end of the answer, whose last token is not read. */
  private String answer(SparseAttention attention, KeyValueCache cache, int first) {
    TokenList answer = new TokenList(ANSWER_TOKENS);
    int token = first;
    while (true) {
      answer.add(token);
      String text = tokenizer.decode(answer.toArray());
      if (text.endsWith(Fact.END_OF_ANSWER) || answer.size() == ANSWER_TOKENS) {
        return text;
      }
      Logits logits = model.decode(attention, cache, token);
      token = logits.greatest(0);
    }
  }

  /** What follows an answer: its end, which is never decoded, and the next question. */
  private int[] continuation(Fact fact) {
    return tokenizer.encodeContinuation(
        Fact.END_OF_ANSWER + Fact.BEFORE_NEXT_QUESTION + fact.question());
  }
}
