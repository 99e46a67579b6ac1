package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.ModelFolder;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.MInferenceFile;
import dev.heddle.runtime.ModelShape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heddle import minference}: a published pattern file as a heads file. */
@Command(
    name = "minference",
    description = {
      "Turn a pattern file of MInference into a heads file.",
      "Such a file does not state the model's key/value heads and head dim: they are those of the"
          + " model that a published file's name tells, of --model, or as given."
    },
    footer = {
      "",
      "The published files lie at https://github.com/microsoft/MInference in minference/configs."
    })
final class ImportMInferenceCommand extends PatternCommand {
  @Parameters(paramLabel = "FILE", description = "The pattern file (JSON).")
  private Path file = Path.of(""); // required: always set

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the heads file.")
  private Path out = Path.of(""); // required: always set

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Model folder whose config.json states the sizes.")
  private Optional<Path> folder = Optional.empty();

  @Option(names = "--key-value-heads", paramLabel = "N", description = "Key/value heads per layer.")
  private Optional<Integer> keyValueHeads = Optional.empty();

  @Option(names = "--head-dim", paramLabel = "N", description = "Numbers per row of a head.")
  private Optional<Integer> headDim = Optional.empty();

  ImportMInferenceCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() throws IOException {
    MInferenceFile patterns = MInferenceFile.read(file);
    HeadsConfig config = patterns.toHeads(shape(patterns));
    AttentionPlan plan = AttentionPlan.resolve(config, findPatterns());
    byte[] json = config.toJson().getBytes(StandardCharsets.UTF_8);
    try (StagedFiles files = new StagedFiles()) {
      FileChannel channel = files.open(out, json.length).channel();
      for (ByteBuffer rest = ByteBuffer.wrap(json); rest.hasRemaining(); ) {
        channel.write(rest);
      }
      files.commit();
    }
    return new Imported(file, out, patterns.headCounts(), new PlanView(plan));
  }

  private ModelShape shape(MInferenceFile patterns) {
    if (folder.isPresent()) {
      if (keyValueHeads.isPresent() || headDim.isPresent()) {
        throw new InvalidInputException(
            "give one of --model DIR, and --key-value-heads N with --head-dim N");
      }
      return ModelFolder.open(folder.get()).config().attention();
    }
    if (keyValueHeads.isPresent() && headDim.isPresent()) {
      return new ModelShape(
          patterns.layers(), patterns.queryHeads(), keyValueHeads.get(), headDim.get());
    }
    if (keyValueHeads.isPresent() || headDim.isPresent()) {
      throw new InvalidInputException("give --key-value-heads N and --head-dim N together");
    }
    return MInferenceModels.ofFile(String.valueOf(file.getFileName()))
        .orElseThrow(() ->
            new InvalidInputException(
                ("%s: its name tells no model that is known here, and such files do not state"
                        + " key/value heads and head dim; give --model DIR, or --key-value-heads N"
                        + " and --head-dim N")
                    .formatted(file)));
  }

  /** The answer. */
  private record Imported(Path file, Path out, List<Integer> headCounts, PlanView view)
      implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("file", file.toString());
      object.put("out", out.toString());
      object.put("headsNamed", headCounts);
      object.putAll(view.json());
      return object;
    }

    @Override
    public void print(Console console) {
      int named = headCounts.stream().mapToInt(Integer::intValue).sum();
      ModelShape shape = view.plan().shape();
      console.out().println(out + ": " + Shown.sizes(shape));
      int missing = shape.layers() * shape.queryHeads() - named;
      if (missing > 0) {
        console
            .out()
            .println(
                "  %d heads are not named: they have what MInference gives them, vertical-slash 1000 + 6096"
                    .formatted(missing));
      }
      view.print(console.out());
    }
  }
}
