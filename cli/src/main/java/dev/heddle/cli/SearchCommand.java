package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.ModelFolder;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.search.FactExamBuilder;
import dev.heddle.search.HeadSearch;
import dev.heddle.search.KernelCosts;
import dev.heddle.search.Prose;
import dev.heddle.search.SearchGoal;
import dev.heddle.search.SearchPlan;
import dev.heddle.search.SearchResult;
import dev.heddle.search.SearchSample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle search}: each head's pattern and options, from sample prompts. */
@Command(
    name = "search",
    description = {
      "Choose each head's pattern and options for a model from sample prompts.",
      "What is measured is kept in a file beside the heads file until that is written: a search that"
          + " was interrupted goes on where it was when it is started again."
    })
final class SearchCommand extends PatternCommand {
  private static final int TOKENS_PER_FACT = 128;
  private static final int QUESTIONS = 24;
  private static final double USUAL_SPEEDUP = 6;

  private final Home home;

  @Option(names = "--model", paramLabel = "DIR", required = true, description = "Model folder.")
  private Path folder = Path.of(""); // required: always set

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      arity = "1..*",
      description =
          "Sample prompts, UTF-8, each ending with its question; made of --text with facts planted"
              + " in it when not given.")
  private List<Path> promptFiles = List.of();

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "Samples to make when there is no --prompt-file; ${DEFAULT-VALUE} when not given.")
  private int samples;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "8192",
      description = "Length of the samples that are made; ${DEFAULT-VALUE} when not given.")
  private int tokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Decides the samples that are made; ${DEFAULT-VALUE} when not given.")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the heads file.")
  private Path out = Path.of(""); // required: always set

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description = "Where measurements are kept; the name of --out with '.state' when not given.")
  private Optional<Path> stateFile = Optional.empty();

  @Option(
      names = "--speedup",
      paramLabel = "X",
      description =
          "Attention, indices included, is to be X times as fast as dense; 6 when neither this nor"
              + " --tolerance is given.")
  private Optional<Double> speedup = Optional.empty();

  @Option(
      names = "--for-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Length of prompt at which --speedup is to be reached; the samples' when not given.")
  private int forTokens;

  @Option(
      names = "--tolerance",
      paramLabel = "T",
      description =
          "No head's output is to differ from dense by more than this share, from 0 to 1, on any"
              + " sample; heads that no pattern serves so well stay dense.")
  private Optional<Double> tolerance = Optional.empty();

  @Option(
      names = "--costs",
      paramLabel = "FILE",
      description =
          "Reckon with the costs that an earlier search measured: the heads file that it wrote, or"
              + " its --json. Measured when not given; the same costs and seed give the same heads.")
  private Optional<Path> costsFile = Optional.empty();

  @Option(
      names = "--patterns",
      paramLabel = "NAME",
      split = ",",
      description =
          "Patterns that may be chosen besides dense; all when not given. All are measured, so that"
              + " another choice with the same --state takes no time.")
  private List<String> patterns = List.of();

  @Mixin private ReportOption html = new ReportOption();

  @Mixin private ModelTexts texts = new ModelTexts();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  SearchCommand(Console console, Home home, Discovery discovery) {
    super(console, discovery);
    this.home = home;
  }

  @Override
  Result execute() throws IOException {
    SearchPlan plan = plan();
    Path state = stateFile.orElse(out.resolveSibling(out.getFileName() + ".state"));
    compute.noteFallback(console());
    ModelFolder files = ModelFolder.open(folder);
    PatternRegistry registry = findPatterns();
    try (StagedFiles staged = new StagedFiles();
        TextTokenizer tokenizer = TextTokenizer.open(files.tokenizerFile());
        LlamaModel model = LlamaModel.open(folder, compute.processorModelSettings());
        AttentionBackend backend = compute.openBackend();
        StepProgress progress = new StepProgress(console())) {
      StagedFile headsFile = staged.open(out, 1 << 20);
      Optional<StagedFile> page = html.open(staged);
      HeadSearch search =
          new HeadSearch(
              model,
              new HeadSearch.Engines(
                  heads -> compute.builder(registry, heads).denseBelow(0).build(),
                  backend,
                  compute.threads()),
              registry,
              note -> console().note("heddle: " + note));
      SearchResult result = search.run(material(tokenizer), plan, state, progress);
      SearchReport report = new SearchReport(setting(backend.name()), out.toString(), result);
      HeadsConfig heads = result.toHeads(report.notes());
      headsFile.write(heads.toJson());
      if (page.isPresent()) {
        ReportOption.write(report, page.get());
      }
      staged.commit();
      return report;
    }
  }

  private SearchPlan plan() throws IOException {
    SearchPlan plan = SearchPlan.of(goal()).withPatterns(patterns);
    if (costsFile.isEmpty()) {
      return plan;
    }
    Path file = costsFile.get();
    return plan.withCosts(KernelCosts.parse(TextFile.read(file), file.toString()));
  }

  private SearchReport.Setting setting(String backend) {
    return new SearchReport.Setting(
        folder.toString(),
        promptFiles.isEmpty()
            ? "%d of %d tokens of %s with facts, seed %d"
                .formatted(samples, tokens, texts.file(home).getFileName(), seed)
            : promptFiles.toString(),
        goalInWords(),
        backend,
        compute.threads());
  }

  private String goalInWords() {
    return switch (goal()) {
      case SearchGoal.Tolerance(double error) -> "no error above " + error;
      case SearchGoal.Speedup(double factor, int length) ->
          "attention "
              + factor
              + " times as fast as dense"
              + (length > 0 ? " at " + length + " tokens" : " at the samples' length");
    };
  }

  private SearchGoal goal() {
    if (speedup.isPresent() && tolerance.isPresent()) {
      throw new InvalidInputException("give at most one of --speedup X and --tolerance T");
    }
    return tolerance
        .<SearchGoal>map(SearchGoal.Tolerance::new)
        .orElseGet(() -> new SearchGoal.Speedup(speedup.orElse(USUAL_SPEEDUP), forTokens));
  }

  private HeadSearch.Material material(TextTokenizer tokenizer) throws IOException {
    List<SearchSample> all = new ArrayList<>();
    if (promptFiles.isEmpty()) {
      Prose prose = texts.prose(home, tokenizer);
      for (int sample = 0; sample < samples; sample++) {
        all.add(planted(prose, tokens, seed + sample));
      }
      SearchSample weighing = planted(prose, Math.max(1, tokens / 2), seed + samples);
      return new HeadSearch.Material(folder.toString(), all, weighing);
    }
    for (Path file : promptFiles) {
      all.add(SearchSample.of(tokenizer.encode(TextFile.read(file))));
    }
    return new HeadSearch.Material(folder.toString(), all, all.getFirst());
  }

  private static SearchSample planted(Prose prose, int tokens, long seed) {
    int facts = Math.max(1, tokens / TOKENS_PER_FACT);
    FactExamBuilder.Size size =
        new FactExamBuilder.Size(tokens, facts, Math.min(QUESTIONS, facts), seed);
    return SearchSample.of(new FactExamBuilder(prose).build(size), prose);
  }
}
