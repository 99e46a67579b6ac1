package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.PatternRegistry.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heddle new-pattern}: the skeleton of a pattern's project. */
@Command(
    name = "new-pattern",
    description =
        "Make a project for a pattern of your own. It builds and passes the test kit as it is; its"
            + " README.md says where to write.")
final class NewPatternCommand extends PatternCommand {
  @Parameters(
      index = "0",
      paramLabel = "NAME",
      description = "The pattern's name, such as dilated-window.")
  private String name = ""; // required: always set

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description = "The project's folder: one that is empty or does not exist.")
  private Path folder = Path.of("");

  @Option(
      names = "--package",
      paramLabel = "NAME",
      description = "Java package and module; com.example.NAME without dashes when not given.")
  private Optional<String> packageName = Optional.empty();

  NewPatternCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() throws IOException {
    PatternProject project = PatternProject.of(name, packageName);
    for (Entry entry : findPatterns().entries()) {
      if (entry.pattern().name().equals(name)) {
        throw new InvalidInputException(
            "there is a pattern called \"%s\" already: %s; allowed: another name"
                .formatted(name, entry.source()));
      }
    }
    return new Made(name, folder, project.write(folder));
  }

  /** The answer. */
  private record Made(String name, Path folder, List<String> files) implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("name", name);
      object.put("folder", folder.toString());
      object.put("files", files);
      return object;
    }

    @Override
    public void print(Console console) {
      console.out().println("made " + folder + ":");
      files.forEach(file -> console.out().println("    " + file));
      console.out().println("README.md says what to do with it.");
    }
  }
}
