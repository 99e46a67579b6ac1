package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.EvalPlan.Cell;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;

/** Gives the same exams to one model with different heads, and counts. */
public final class Evaluation {
  /** Tokens of a warm-up: more than the length below which every head is dense. */
  private static final int WARM_UP_TOKENS = SparseAttention.DENSE_BELOW_KEY_TOKENS + 1024;

  private static final int WARM_UPS = 2;

  private final LlamaModel model;
  private final Prose prose;
  private final ExamBuilder exams;
  private final Examiner examiner;
  private final TextScore textScore;

  /**
   * Makes an evaluation; all parts stay the caller's to close.
   *
   * @param prose where the texts are taken from
   */
  public Evaluation(LlamaModel model, TextTokenizer tokenizer, Prose prose) {
    this.model = model;
    this.prose = prose;
    this.exams = new ExamBuilder(prose);
    this.examiner = new Examiner(model, tokenizer);
    this.textScore = new TextScore(model, tokenizer);
  }

  /**
   * Evaluates.
   *
   * @param heads each façade under the name that its rows have
   * @return a row for each task, length and depth, and each of {@code heads}
   * @throws InvalidInputException if a prompt does not suit the model, its text or memory; before
   *     work starts, as far as lengths can tell
   */
  public List<EvalRow> run(
      EvalPlan plan, Map<String, SparseAttention> heads, StepListener listener) {
    List<Cell> cells = plan.cells();
    requireReadable(plan, cells);
    warmUp(plan, heads);
    List<EvalRow> rows = new ArrayList<>();
    int steps = cells.size() * plan.prompts() * heads.size();
    int done = 0;
    for (Cell cell : cells) {
      Map<String, Tally> tallies = new LinkedHashMap<>();
      for (int prompt = 0; prompt < plan.prompts(); prompt++) {
        long seed = plan.seed() + prompt;
        for (Map.Entry<String, SparseAttention> attention : heads.entrySet()) {
          listener.onStep("evaluating", (double) done++ / steps);
          Tally tally = tallies.computeIfAbsent(attention.getKey(), _ -> new Tally());
          measure(plan, cell, seed, attention.getValue(), tally);
        }
      }
      tallies.forEach((name, tally) -> rows.add(tally.row(name, cell)));
    }
    listener.onStep("evaluating", 1);
    return rows;
  }

  private void measure(
      EvalPlan plan, Cell cell, long seed, SparseAttention attention, Tally tally) {
    if (cell.task() == EvalTask.TEXT) {
      TextScore.Score score = textScore.score(attention, text(cell.tokens(), seed));
      tally.add(score.nanos(), score.prefilled().reports());
      tally.bits.add(score.bitsPerByte());
      return;
    }
    Reading reading = examiner.examine("", attention, exam(plan, cell, seed), StepListener.SILENT);
    tally.add(reading.firstTokenNanos(), reading.layers());
    tally.answers =
        Optional.of(
            tally
                .answers
                .map(before -> before.plus(proportion(reading)))
                .orElseGet(() -> proportion(reading)));
  }

  private static Proportion proportion(Reading reading) {
    return new Proportion(reading.right(), reading.answers().size());
  }

  private Exam exam(EvalPlan plan, Cell cell, long seed) {
    return exams.build(
        new ExamBuilder.Wanted(cell.task(), cell.tokens(), cell.depth(), plan.questions(), seed));
  }

  private int[] text(int tokens, long seed) {
    TokenList text = prose.start(tokens);
    text.addAll(prose.window(tokens - prose.beginningTokens(), new Random(seed)));
    return text.toArray();
  }

  private void requireReadable(EvalPlan plan, List<Cell> cells) {
    for (Cell cell : cells) {
      int behind =
          cell.task() == EvalTask.TEXT
              ? 0
              : examiner.tokensBehindPrompt(exam(plan, cell, plan.seed()));
      if (cell.tokens() + behind > model.maxTokens()) {
        throw new InvalidInputException(
            "task %s at %d tokens takes %d with questions and answers; allowed: %d, the positions of the model"
                .formatted(
                    cell.task().key(), cell.tokens(), cell.tokens() + behind, model.maxTokens()));
      }
      model.requireReadable(cell.tokens(), behind);
    }
  }

  /** All heads are warmed up before the first is timed: none pays the JIT compiler for another. */
  private void warmUp(EvalPlan plan, Map<String, SparseAttention> heads) {
    int longest = plan.tokens().stream().mapToInt(Integer::intValue).max().orElse(1);
    int[] tokens = text(Math.min(WARM_UP_TOKENS, longest), plan.seed());
    for (int round = 0; round < WARM_UPS; round++) {
      for (SparseAttention attention : heads.values()) {
        try (KeyValueCache cache = model.newCache(tokens.length)) {
          model.prefill(attention, cache, tokens, PrefillProgress.SILENT);
        }
      }
    }
  }

  /** What is counted of one cell and one façade. */
  private static final class Tally {
    private final List<Long> nanos = new ArrayList<>();
    private final List<Double> densities = new ArrayList<>();
    private final List<Double> bits = new ArrayList<>();
    private Optional<Proportion> answers = Optional.empty();

    void add(long firstTokenNanos, List<PrefillReport> layers) {
      nanos.add(firstTokenNanos);
      densities.add(layers.stream().mapToDouble(PrefillReport::density).average().orElse(1));
    }

    EvalRow row(String heads, Cell cell) {
      long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
      return new EvalRow(
          heads,
          cell.task(),
          cell.tokens(),
          cell.task() == EvalTask.NEEDLE ? OptionalDouble.of(cell.depth()) : OptionalDouble.empty(),
          sorted.length,
          answers,
          bits.stream().mapToDouble(Double::doubleValue).average(),
          sorted[sorted.length / 2],
          densities.stream().mapToDouble(Double::doubleValue).average().orElse(1));
    }
  }
}
