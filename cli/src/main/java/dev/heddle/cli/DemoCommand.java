package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.cli.DemoReport.Setting;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.ModelFolder;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.search.Examiner;
import dev.heddle.search.FactExam;
import dev.heddle.search.FactExamBuilder;
import dev.heddle.search.FactExamBuilder.Size;
import dev.heddle.search.Prose;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle demo}: one long text read twice, densely and sparsely. */
@Command(
    name = "demo",
    description = {
      "Have the bundled model read a long real text with facts planted in it, densely and sparsely,"
          + " and answer questions about them.",
      "Prints for each: the time to the first token, how much of the attention was computed, and"
          + " how many answers were right in every digit."
    })
final class DemoCommand extends PatternCommand {
  private static final String MODEL = "byte-llama-5m";
  private static final String TEXT = "jargon-file.txt";
  private static final String HEADS_FILE = "heads.json";

  /** The model finds facts best when the text is full of them. */
  private static final int TOKENS_PER_FACT = 128;

  private static final int MOST_QUESTIONS = 64;

  private final Home home;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "32768",
      description =
          "Length of text and first question; ${DEFAULT-VALUE} when not given. Where the model's"
              + " positions would not hold what follows, the text is shortened.")
  private int tokens;

  @Option(
      names = "--facts",
      paramLabel = "N",
      description = "Facts planted in the text; one for each 128 tokens when not given.")
  private Optional<Integer> facts = Optional.empty();

  @Option(
      names = "--questions",
      paramLabel = "N",
      description = "Facts asked for; 64, or all if there are fewer, when not given.")
  private Optional<Integer> questions = Optional.empty();

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Decides the window of the text, the facts, and their places.")
  private long seed;

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Heads file of the sparse run; the model's own when not given.")
  private Optional<Path> headsFile = Optional.empty();

  @Option(names = "--dense-only", description = "Leave the sparse run out.")
  private boolean denseOnly;

  @Option(names = "--sparse-only", description = "Leave the dense run out.")
  private boolean sparseOnly;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  DemoCommand(Console console, Home home, Discovery discovery) {
    super(console, discovery);
    this.home = home;
  }

  @Override
  Result execute() throws IOException {
    if (denseOnly && sparseOnly) {
      throw new InvalidInputException("--dense-only and --sparse-only leave nothing to run");
    }
    compute.noteModelFallback(console());
    Size size = size();
    Path folder = home.model(MODEL);
    try (TextTokenizer tokenizer = TextTokenizer.open(ModelFolder.open(folder).tokenizerFile());
        LlamaModel model = LlamaModel.open(folder, compute.modelSettings())) {
      Map<String, HeadsConfig> configs = configs(model.attentionShape());
      Prose prose = prose(tokenizer);
      Examiner examiner = new Examiner(model, tokenizer);
      FactExam asked = new FactExamBuilder(prose).build(size);
      int behind = examiner.tokensBehindPrompt(asked.exam());
      size = shortened(size, behind, model.maxTokens());
      model.requireReadable(size.tokens(), behind);
      FactExam job = new FactExamBuilder(prose).build(size);
      announce(size);
      DemoRunner runner = new DemoRunner(model, examiner, findPatterns(), compute, console());
      Map<String, DemoRun> runs = runner.run(configs, job);
      String heads = denseOnly ? "" : headsFile().toString();
      return new DemoReport(
          new Setting(MODEL, TEXT, heads, runner.backendName(), compute.threads()), size, runs);
    }
  }

  private void announce(Size size) {
    if (!json()) {
      console()
          .out()
          .printf(
              Locale.ROOT,
              "%s reads %,d tokens of %s with %d facts planted in them, then answers %d questions.%n",
              MODEL,
              size.tokens(),
              TEXT,
              size.facts(),
              size.questions());
      console().out().flush();
    }
  }

  /**
   * The size at which questions and answers fit the model behind the text. Facts and questions
   * stay: they depend on the seed and their number alone.
   */
  private Size shortened(Size size, int tokensBehind, int maxTokens) {
    if (size.tokens() > maxTokens) {
      throw new InvalidInputException(
          "--tokens is %d; allowed: up to %d, the positions of the model"
              .formatted(size.tokens(), maxTokens));
    }
    int room = maxTokens - tokensBehind;
    if (size.tokens() <= room) {
      return size;
    }
    console()
        .note(
            "heddle: the text is shortened to %s tokens: questions and answers take %s more, and the model has %s positions"
                .formatted(Shown.count(room), Shown.count(tokensBehind), Shown.count(maxTokens)));
    return new Size(room, size.facts(), size.questions(), size.seed());
  }

  private Size size() {
    int planted = facts.orElse(Math.max(1, tokens / TOKENS_PER_FACT));
    return new Size(tokens, planted, questions.orElse(Math.min(MOST_QUESTIONS, planted)), seed);
  }

  private Prose prose(TextTokenizer tokenizer) throws IOException {
    String text = TextFile.read(home.text(TEXT));
    return new Prose(tokenizer::encodeContinuation, tokenizer.encode(""), text);
  }

  private Map<String, HeadsConfig> configs(ModelShape shape) {
    Map<String, HeadsConfig> configs = new LinkedHashMap<>();
    if (!sparseOnly) {
      configs.put(DemoReport.DENSE, ModelHeads.dense(shape));
    }
    if (!denseOnly) {
      configs.put(DemoReport.SPARSE, ModelHeads.read(headsFile(), shape));
    }
    return configs;
  }

  private Path headsFile() {
    return headsFile.orElse(home.model(MODEL).resolve(HEADS_FILE));
  }
}
