package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.LlamaModel;
import dev.heddle.llm.ModelFolder;
import dev.heddle.llm.TextTokenizer;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.SparseAttention;
import dev.heddle.search.EvalPlan;
import dev.heddle.search.EvalRow;
import dev.heddle.search.EvalTask;
import dev.heddle.search.Evaluation;
import dev.heddle.search.StaticPattern;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle eval}: dense against heads files, on the same prompts. */
@Command(
    name = "eval",
    description = {
      "Judge heads files against dense attention on the same prompts.",
      "Facts, needles, variables and words follow RULER's recipes, in the sentences that the bundled"
          + " model was trained on; an answer counts if it is right in every digit or word."
    })
final class EvalCommand extends PatternCommand {
  static final String DENSE = "dense";

  private final Home home;

  @Option(names = "--model", paramLabel = "DIR", required = true, description = "Model folder.")
  private Path folder = Path.of(""); // required: always set

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Heads file to judge; may be given several times.")
  private List<Path> headsFiles = List.of();

  @Option(
      names = "--static-indices",
      description = {
        "Use the indices of the first prompt of each length for all prompts of it: shows what indices"
            + " that follow the prompt are worth. Give --questions 1."
      })
  private boolean staticIndices;

  @Option(names = "--no-dense", description = "Leave dense attention out.")
  private boolean noDense;

  @Option(
      names = "--tasks",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "facts,text",
      description =
          "facts, needle, variables, common-words, frequent-words, text; ${DEFAULT-VALUE} when not"
              + " given.")
  private List<String> tasks = List.of();

  @Option(
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      defaultValue = "8192",
      description = "Lengths of the prompts; ${DEFAULT-VALUE} when not given.")
  private List<Integer> tokens = List.of();

  @Option(
      names = "--depths",
      paramLabel = "X",
      split = ",",
      defaultValue = "0,0.25,0.5,0.75,1",
      description = "Where needles lie, from 0 to 1; ${DEFAULT-VALUE} when not given.")
  private List<Double> depths = List.of();

  @Option(
      names = "--prompts",
      paramLabel = "N",
      defaultValue = "1",
      description = "Prompts for each task, length and depth; ${DEFAULT-VALUE} when not given.")
  private int prompts;

  @Option(
      names = "--questions",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Most questions about the facts of one prompt; ${DEFAULT-VALUE} when not given.")
  private int questions;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Decides windows of the text, facts and places; ${DEFAULT-VALUE} when not given.")
  private long seed;

  @Mixin private EvalFiles files = new EvalFiles();

  @Mixin private ModelTexts texts = new ModelTexts();

  @Mixin private ChunkOption chunk = new ChunkOption();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  EvalCommand(Console console, Home home, Discovery discovery) {
    super(console, discovery);
    this.home = home;
  }

  @Override
  Result execute() throws IOException {
    EvalPlan plan =
        new EvalPlan(
            tasks.stream().map(EvalTask::of).toList(), tokens, depths, prompts, questions, seed);
    LlamaModel.Settings settings = chunk.in(compute.modelSettings());
    files.requirePossible(plan, headsFiles.size() + (noDense ? 0 : 1));
    compute.noteFallback(console());
    ModelFolder folderFiles = ModelFolder.open(folder);
    Map<String, HeadsConfig> configs = configs(folderFiles);
    Map<String, SparseAttention> heads = new LinkedHashMap<>();
    try (StagedFiles staged = new StagedFiles();
        TextTokenizer tokenizer = TextTokenizer.open(folderFiles.tokenizerFile());
        LlamaModel model = LlamaModel.open(folder, settings);
        StepProgress progress = new StepProgress(console())) {
      EvalFiles.Opened opened = files.open(staged);
      PatternRegistry registry = staticIndices ? StaticPattern.all(findPatterns()) : findPatterns();
      configs.forEach((name, config) -> heads.put(name, compute.attention(registry, config)));
      Evaluation evaluation = new Evaluation(model, tokenizer, texts.prose(home, tokenizer));
      List<EvalRow> rows = evaluation.run(plan, heads, progress);
      EvalReport report = new EvalReport(setting(heads, settings.chunkTokens()), plan, rows);
      opened.write(report);
      staged.commit();
      return report;
    } finally {
      heads.values().forEach(SparseAttention::close);
    }
  }

  private EvalReport.Setting setting(Map<String, SparseAttention> heads, int chunkTokens) {
    return new EvalReport.Setting(
        folder.toString(),
        texts.file(home).toString(),
        new ArrayList<>(heads.keySet()),
        heads.values().iterator().next().backendName(),
        compute.threads(),
        chunkTokens);
  }

  private Map<String, HeadsConfig> configs(ModelFolder folderFiles) {
    if (noDense && headsFiles.isEmpty()) {
      throw new InvalidInputException("--no-dense without --heads leaves nothing to judge");
    }
    Map<String, HeadsConfig> configs = new LinkedHashMap<>();
    if (!noDense) {
      configs.put(DENSE, ModelHeads.dense(folderFiles.config().attention()));
    }
    for (Path file : headsFiles) {
      HeadsConfig config = ModelHeads.read(file, folderFiles.config().attention());
      if (configs.putIfAbsent(file.toString(), config) != null) {
        throw new InvalidInputException("--heads names " + file + " twice");
      }
    }
    return configs;
  }
}
