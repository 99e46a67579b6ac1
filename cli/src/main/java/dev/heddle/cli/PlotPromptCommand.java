package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.KeyValueCache;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.ModelFolder;
import dev.heddle.llm.PrefillProgress;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.SparseAttention;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the pictures share that are made while a model reads a prompt. */
abstract class PlotPromptCommand extends PatternCommand {
  /** Computes the model and its attention: a GPU would keep Q, K and V to itself. */
  static final String BACKEND = "vector";

  private static final int PROGRESS_STEPS = 1000;

  @Mixin private PromptedModel reading = new PromptedModel();

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Read no more than the first N tokens of the text.")
  private Optional<Integer> tokens = Optional.empty();

  @Mixin private PictureOutput output = new PictureOutput();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads to compute with; as many as processors by default.")
  private int threads = Runtime.getRuntime().availableProcessors();

  PlotPromptCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  /**
   * Checks the options that are the command's own.
   *
   * @throws InvalidInputException naming the option, its value and what is allowed
   */
  abstract void check(ModelShape model);

  /** Begins the work. */
  abstract PlotWork begin(PlotWork.Setting setting, PlotWork.Engine engine);

  @Override
  final Result execute() throws IOException {
    if (tokens.isPresent() && tokens.get() < 1) {
      throw new InvalidInputException("--tokens is " + tokens.get() + "; allowed: at least 1");
    }
    String text = reading.text();
    ModelFolder files = ModelFolder.open(reading.folder());
    check(files.config().attention());
    HeadsConfig heads = reading.heads(files.config().attention(), console());
    PlotWork.Engine engine = new PlotWork.Engine(findPatterns(), threads);
    AttentionPlan plan = AttentionPlan.resolve(heads, engine.registry());
    Canvas.requireFonts();
    try (StagedFiles staged = new StagedFiles();
        SparseAttention dense = engine.attention(ModelHeads.dense(files.config().attention()));
        TextTokenizer tokenizer = TextTokenizer.open(files.tokenizerFile());
        LlamaModel model = LlamaModel.open(reading.folder(), settings())) {
      StagedFile picture = output.open(staged);
      int[] prompt = prompt(tokenizer.encode(text));
      model.requireReadable(prompt.length, 0);
      PlotWork.Setting setting =
          new PlotWork.Setting(modelName(), prompt.length, heads, plan, output.name());
      try (PlotWork work = begin(setting, engine)) {
        read(model, dense, prompt, work);
        work.paint().write(picture.channel());
        staged.commit();
        return work.result();
      }
    }
  }

  private LlamaModel.Settings settings() {
    return LlamaModel.Settings.standard().withBackend(BACKEND).withThreads(threads);
  }

  private int[] prompt(int[] all) {
    return Arrays.copyOf(all, Math.min(all.length, tokens.orElse(all.length)));
  }

  private String modelName() {
    Path name = reading.folder().toAbsolutePath().normalize().getFileName();
    return name == null ? reading.folder().toString() : name.toString();
  }

  private void read(LlamaModel model, SparseAttention dense, int[] prompt, PlotWork work) {
    try (KeyValueCache cache = model.newCache(prompt.length);
        Progress progress = console().progress("reading", PROGRESS_STEPS)) {
      model.prefill(
          dense,
          cache,
          prompt,
          new PrefillProgress() {
            @Override
            public void onProgress(int layer, double fraction) {
              progress.stepTo((long) (fraction * PROGRESS_STEPS));
            }

            @Override
            public void onAttention(int layer, Prefill attention) {
              work.look(layer, attention);
            }
          });
    }
  }
}
