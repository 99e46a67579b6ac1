package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.KnownModel;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.Logits;
import dev.heddle.llm.MemoryEstimate;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.PrefillTimes;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle bench prefill}: how long a whole model takes to read a prompt on a GPU. */
@Command(
    name = "prefill",
    description = {
      "Measure how long a whole model takes to read a prompt on a GPU, densely and by a heads file,"
          + " and what takes the time.",
      "The model is a folder, or one of known sizes with random weights."
    },
    footer = {
      "",
      "The total is wall clock from the prompt to the logits of its last token, the parts are times"
          + " of the device; keys and values are not kept. Prompts are random tokens. TFLOP/s are"
          + " those of the matrix products over the time of projections and feed-forward.",
      "",
      "Random weights keep activations near 1. Biases of Q and K give each head a band of slash lines"
          + " at offset 0 and another at 1,024 to 65,536 tokens, because without any structure every"
          + " sparse index would be dense."
    })
final class BenchPrefillCommand extends PatternCommand {
  private static final String KNOWN = "llama-3-8b, llama-3.2-1b, qwen2.5-7b";

  /** One of the two must be given. */
  static final class ModelChoice {
    @Option(names = "--model", paramLabel = "DIR", description = "Model folder.")
    private Optional<Path> folder = Optional.empty();

    @Option(
        names = "--shape",
        paramLabel = "NAME",
        description = "Random weights in the sizes of " + KNOWN + ".")
    private Optional<String> shape = Optional.empty();
  }

  @ArgGroup(multiplicity = "1")
  private ModelChoice chosen = new ModelChoice();

  @Option(
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      defaultValue = "131072",
      description = "Prompt lengths; ${DEFAULT-VALUE} when not given.")
  private List<Integer> tokens = List.of();

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Heads file to measure besides dense attention.")
  private Optional<Path> headsFile = Optional.empty();

  @Option(
      names = "--chunk",
      paramLabel = "N",
      split = ",",
      description =
          "Also read the prompts in chunks of N tokens, which keeps keys and values of all layers"
              + " until the last chunk is read; may name several.")
  private List<Integer> chunks = List.of();

  @Option(names = "--no-one-pass", description = "With --chunk: leave the reading in one pass out.")
  private boolean noOnePass;

  @Option(names = "--no-dense", description = "Leave dense attention out.")
  private boolean noDense;

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "2",
      description =
          "Measured runs of each case, whose fastest counts; ${DEFAULT-VALUE} by default.")
  private int repeat;

  @Option(
      names = "--new-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Also keep keys and values, and time so many tokens written behind the prompt; none by"
              + " default.")
  private int newTokens;

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "Receives a picture of the times, part by part, a PNG.")
  private Optional<Path> plot = Optional.empty();

  @Option(
      names = "--dry-run",
      description = "Say what memory is needed and what there is, and measure nothing.")
  private boolean dryRun;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  BenchPrefillCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() throws IOException {
    requireSettings();
    if (plot.isPresent()) {
      Canvas.requireFonts();
    }
    try (StagedFiles staged = new StagedFiles()) {
      Optional<StagedFile> picture = plot.map(file -> staged.open(file, Canvas.MOST_BYTES));
      PrefillBenchReport report = report();
      if (picture.isPresent()) {
        new PrefillPicture(report).paint().write(picture.get().channel());
        staged.commit();
      }
      return report;
    }
  }

  private PrefillBenchReport report() {
    PatternRegistry registry = findPatterns();
    try (LlamaModel model = open()) {
      Map<String, HeadsConfig> heads = heads(model);
      List<PrefillBenchReport.Case> cases = cases(heads.keySet());
      List<PrefillBenchReport.Plan> plans = new ArrayList<>();
      List<PrefillBenchReport.Row> rows = new ArrayList<>();
      for (PrefillBenchReport.Case one : cases) {
        try (SparseAttention attention = attention(registry, heads, one)) {
          plans.add(plan(model, attention, one));
        }
      }
      if (!dryRun) {
        for (PrefillBenchReport.Case one : cases) {
          try (SparseAttention attention = attention(registry, heads, one)) {
            rows.add(measure(model, attention, one));
          }
        }
      }
      return new PrefillBenchReport(
          new PrefillBenchReport.Setting(label(), model.config(), repeat), plans, rows);
    }
  }

  /** Each length by each heads file, in one pass and in chunks. */
  private List<PrefillBenchReport.Case> cases(Collection<String> heads) {
    List<PrefillBenchReport.Case> cases = new ArrayList<>();
    for (int length : tokens) {
      for (String name : heads) {
        if (!noOnePass) {
          cases.add(new PrefillBenchReport.Case(name, length, length));
        }
        for (int chunk : chunks) {
          cases.add(new PrefillBenchReport.Case(name, length, Math.min(chunk, length)));
        }
      }
    }
    return cases.stream().distinct().toList();
  }

  private void requireSettings() {
    if (noDense && headsFile.isEmpty()) {
      throw new InvalidInputException("--no-dense without --heads FILE leaves nothing to measure");
    }
    if (noOnePass && chunks.isEmpty()) {
      throw new InvalidInputException("--no-one-pass without --chunk N leaves nothing to measure");
    }
    chunks.forEach(ChunkOption::require);
    if (newTokens > 0 && !chunks.isEmpty()) {
      throw new InvalidInputException(
          "give at most one of --chunk and --new-tokens: what is written behind a prompt takes as"
              + " long however the prompt was read");
    }
    if (dryRun && plot.isPresent()) {
      throw new InvalidInputException("give at most one of --dry-run and --plot");
    }
    if (repeat < 1) {
      throw new InvalidInputException("--repeat is " + repeat + "; allowed: an integer from 1");
    }
    if (newTokens < 0) {
      throw new InvalidInputException(
          "--new-tokens is " + newTokens + "; allowed: an integer from 0");
    }
    for (int length : tokens) {
      if (length < 1) {
        throw new InvalidInputException("--tokens is " + length + "; allowed: integers from 1");
      }
    }
  }

  private String label() {
    return chosen.folder.map(Path::toString).or(() -> chosen.shape).orElseThrow();
  }

  private LlamaModel open() {
    if (chosen.folder.isPresent()) {
      return LlamaModel.open(chosen.folder.get(), compute.modelSettings());
    }
    KnownModel known = KnownModel.named(chosen.shape.orElseThrow());
    return LlamaModel.random(known.config(), compute.modelSettings());
  }

  private Map<String, HeadsConfig> heads(LlamaModel model) {
    Map<String, HeadsConfig> cases = new LinkedHashMap<>();
    if (!noDense) {
      cases.put(PrefillBenchReport.DENSE, ModelHeads.dense(model.attentionShape()));
    }
    headsFile.ifPresent(file ->
        cases.put(
            String.valueOf(file.getFileName()), ModelHeads.read(file, model.attentionShape())));
    return cases;
  }

  private SparseAttention attention(
      PatternRegistry registry, Map<String, HeadsConfig> heads, PrefillBenchReport.Case one) {
    return compute.attention(registry, Objects.requireNonNull(heads.get(one.heads())));
  }

  private PrefillBenchReport.Plan plan(
      LlamaModel model, SparseAttention attention, PrefillBenchReport.Case one) {
    MemoryEstimate needed = model.prefillOnlyEstimate(attention, one.tokens(), one.chunkTokens());
    return new PrefillBenchReport.Plan(one, needed, model.availableBytes());
  }

  private PrefillBenchReport.Row measure(
      LlamaModel model, SparseAttention attention, PrefillBenchReport.Case one) {
    int length = one.tokens();
    int[] prompt =
        new SplittableRandom(1).ints(length, 0, model.config().vocabularySize()).toArray();
    int[] warmUp = Arrays.copyOf(prompt, Math.min(length, DemoRunner.WARM_UP_TOKENS));
    try (Progress progress = console().progress(Shown.count(length) + " tokens", repeat)) {
      model.measurePrefill(attention, warmUp, one.chunkTokens());
      PrefillTimes best = model.measurePrefill(attention, prompt, one.chunkTokens());
      progress.stepTo(1);
      for (int run = 1; run < repeat; run++) {
        PrefillTimes times = model.measurePrefill(attention, prompt, one.chunkTokens());
        best = times.totalNanos() < best.totalNanos() ? times : best;
        progress.stepTo(run + 1L);
      }
      long nanosPerToken = newTokens == 0 ? 0 : decode(model, attention, prompt);
      return new PrefillBenchReport.Row(one, best, nanosPerToken);
    }
  }

  /** Nanoseconds that one token takes behind {@code prompt}. */
  private long decode(LlamaModel model, SparseAttention attention, int[] prompt) {
    try (KeyValueCache cache = model.newCache(prompt.length + newTokens + 1)) {
      Logits logits = model.prefill(attention, cache, prompt, PrefillProgress.SILENT).logits();
      logits = model.decode(attention, cache, logits.greatest(0)); // chooses the algorithms
      long start = System.nanoTime();
      for (int token = 0; token < newTokens; token++) {
        logits = model.decode(attention, cache, logits.greatest(0));
      }
      return (System.nanoTime() - start) / newTokens;
    }
  }
}
