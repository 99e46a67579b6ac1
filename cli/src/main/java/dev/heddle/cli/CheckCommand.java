package dev.heddle.cli;

import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code heddle check}: whether a heads file can be used, and what it resolves to. */
@Command(
    name = "check",
    description = "Validate a heads file and show the pattern and options of every head.")
final class CheckCommand extends PatternCommand {
  @Parameters(paramLabel = "FILE", description = "The heads file (JSON, \"heddle-heads/1\").")
  private Path file = Path.of(""); // required: always set

  CheckCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() {
    HeadsConfig config = HeadsConfig.read(file);
    return new Checked(file, new PlanView(AttentionPlan.resolve(config, findPatterns())));
  }

  /** The answer. */
  private record Checked(Path file, PlanView view) implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("file", file.toString());
      object.putAll(view.json());
      return object;
    }

    @Override
    public void print(Console console) {
      console.out().println(file + " is valid: " + Shown.sizes(view.plan().shape()));
      view.print(console.out());
    }
  }
}
