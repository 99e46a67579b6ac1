package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.Generation;
import dev.heddle.llm.GenerationOptions;
import dev.heddle.llm.Generator;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.SparseAttention;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Answers questions about one text, which is read once: each line is put behind the text, answered,
 * and dropped again with its answer, so that questions do not see each other.
 */
final class Interview {
  /** Room for a question. */
  private static final int MOST_QUESTION_TOKENS = 4096;

  private static final int PROGRESS_STEPS = 1000;

  private final LlamaModel model;
  private final SparseAttention attention;
  private final TextTokenizer tokenizer;
  private final Console console;

  Interview(LlamaModel model, SparseAttention attention, TextTokenizer tokenizer, Console console) {
    this.model = model;
    this.attention = attention;
    this.tokenizer = tokenizer;
    this.console = console;
  }

  /**
   * Reads {@code text}, then answers every line of {@code questions} that is not empty.
   *
   * @param printing whether answers go to standard output while they are made
   */
  InterviewReport run(
      int[] text, BufferedReader questions, GenerationOptions options, boolean printing)
      throws IOException {
    int behind = Math.min(options.maxNewTokens() + MOST_QUESTION_TOKENS, model.maxTokens());
    int capacity = Math.min(text.length + behind, model.maxTokens());
    model.requireReadable(attention, text.length, Math.max(0, capacity - text.length));
    try (KeyValueCache cache =
        model.newCache(attention, text.length, Math.max(0, capacity - text.length))) {
      long start = System.nanoTime();
      try (Progress progress = console.progress("reading", PROGRESS_STEPS)) {
        model.prefill(
            attention,
            cache,
            text,
            (layer, fraction) -> progress.stepTo((long) (fraction * PROGRESS_STEPS)));
      }
      long readNanos = System.nanoTime() - start;
      console.note(
          "%s tokens read in %s; keys and values %s; each line is a question, the end of input ends"
              .formatted(
                  Shown.count(text.length), Shown.seconds(readNanos), cache.kind().description()));
      List<InterviewReport.Answer> answers = new ArrayList<>();
      LineSource lines = new LineSource(questions);
      for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
        if (!line.get().isBlank()) {
          cache.truncate(text.length);
          answers.add(answer(cache, line.get(), options, printing));
        }
      }
      return new InterviewReport(text.length, readNanos, answers);
    }
  }

  private InterviewReport.Answer answer(
      KeyValueCache cache, String question, GenerationOptions options, boolean printing) {
    int[] tokens = tokenizer.encodeContinuation(question);
    if (tokens.length > cache.capacity() - cache.tokens()) {
      throw new InvalidInputException(
          "a question has %d tokens; allowed: %d"
              .formatted(tokens.length, cache.capacity() - cache.tokens()));
    }
    try (AnswerPrinter printer = new AnswerPrinter(tokenizer.stream(), console, printing)) {
      Generation generation =
          new Generator(model, attention).generate(cache, tokens, options, printer);
      String text = printer.text();
      if (printing) {
        console.out().println();
        console.out().flush();
      }
      return new InterviewReport.Answer(question, text, tokens.length, generation);
    }
  }
}
