package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.Generation;
import dev.heddle.llm.GenerationOptions;
import dev.heddle.llm.Generator;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.MemoryEstimate;
import dev.heddle.llm.ModelFolder;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.SparseAttention;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle run}: a model reads a prompt and goes on writing. */
@Command(
    name = "run",
    description = "Read a prompt with a Llama-family model and print what it writes next.",
    footer = {
      "",
      "The model is a folder in the Hugging Face layout: config.json, safetensors files,"
          + " tokenizer.json. The text goes to standard output, notes and speed to standard error."
    })
final class RunCommand extends PatternCommand {

  @Mixin private PromptedModel reading = new PromptedModel();

  @Option(names = "--dense", description = "Every head reads every token.")
  private boolean dense;

  @Option(
      names = "--prefill-only",
      description =
          "Write one token. On a GPU keys and values of a layer are dropped when it is done, so that"
              + " longer prompts fit.")
  private boolean prefillOnly;

  @Option(
      names = "--interactive",
      description =
          "Read the prompt once, then put each line of standard input behind it, answer it, and drop"
              + " both.")
  private boolean interactive;

  @Option(
      names = "--dry-run",
      description =
          "Say what memory the prompt and its answer need and what there is; read nothing.")
  private boolean dryRun;

  @Mixin private ChunkOption chunk = new ChunkOption();

  @Mixin private GenerationArguments generation = new GenerationArguments();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  RunCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() throws IOException {
    if (dense && reading.namesHeads()) {
      throw new InvalidInputException("give at most one of --heads FILE and --dense");
    }
    if (interactive && prefillOnly) {
      throw new InvalidInputException("give at most one of --interactive and --prefill-only");
    }
    GenerationOptions options = generation.options();
    LlamaModel.Settings settings = chunk.in(compute.modelSettings());
    compute.noteModelFallback(console());
    String prompt = reading.text();
    ModelFolder files = ModelFolder.open(reading.folder());
    ModelShape shape = files.config().attention();
    HeadsConfig heads = dense ? ModelHeads.dense(shape) : reading.heads(shape, console());
    try (SparseAttention attention = compute.attention(findPatterns(), heads);
        TextTokenizer tokenizer = TextTokenizer.open(files.tokenizerFile());
        LlamaModel model = LlamaModel.open(reading.folder(), settings)) {
      int[] tokens = tokenizer.encode(prompt);
      if (dryRun) {
        return plan(model, attention, tokens.length, options.maxNewTokens())
            .inChunksOf(settings.chunkTokens());
      }
      if (interactive) {
        return new Interview(model, attention, tokenizer, console())
            .run(tokens, standardInput(), options, !json());
      }
      try (AnswerPrinter printer = new AnswerPrinter(tokenizer.stream(), console(), !json())) {
        Generator generator = new Generator(model, attention);
        Generation answer =
            prefillOnly
                ? generator.firstToken(tokens, options.sampling(), printer)
                : generator.generate(tokens, options, printer);
        return new RunReport(
            tokens.length, answer, printer.text(), attention.backendName(), compute.threads());
      }
    }
  }

  private static BufferedReader standardInput() {
    return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
  }

  private MemoryPlan plan(
      LlamaModel model, SparseAttention attention, int promptTokens, int maxNewTokens) {
    int room = Math.max(0, model.maxTokens() - promptTokens);
    int newTokens = prefillOnly ? 1 : Math.min(maxNewTokens, room);
    MemoryEstimate needed =
        prefillOnly
            ? model.prefillOnlyEstimate(attention, promptTokens)
            : model.memoryEstimate(attention, promptTokens, newTokens);
    return MemoryPlan.of(promptTokens, newTokens, needed, model.availableBytes());
  }
}
