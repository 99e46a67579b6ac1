package dev.heddle.cli;

import dev.heddle.api.InvalidInputException;
import dev.heddle.cli.SpeedView.Line;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads what {@code heddle bench attention --json} or {@code bench prefill --json} printed. */
final class SpeedFiles {
  private static final int MOST_TOKENS = 1 << 30;
  private static final int MOST_LINES = 30;

  private final List<JsonPlace> files;
  private final Map<String, Line> lines = new LinkedHashMap<>();

  private SpeedFiles(List<JsonPlace> files) {
    this.files = files;
  }

  /**
   * Reads files of one kind.
   *
   * @throws InvalidInputException naming the file and the place in it
   */
  static SpeedView read(List<Path> names) throws IOException {
    List<JsonPlace> files = new ArrayList<>();
    for (Path name : names) {
      files.add(JsonPlace.read(name));
    }
    return new SpeedFiles(files).view();
  }

  private SpeedView view() {
    boolean ofLayer = isOfLayer(files.getFirst());
    for (JsonPlace file : files) {
      if (isOfLayer(file) != ofLayer) {
        throw new InvalidInputException(
            "%s is of 'bench %s' and %s of 'bench %s': one picture shows one of them"
                .formatted(files.getFirst().file(), kind(ofLayer), file.file(), kind(!ofLayer)));
      }
      if (ofLayer) {
        addLayers(file);
      } else {
        addRuns(file);
      }
    }
    if (lines.isEmpty()) {
      throw new InvalidInputException(files.getFirst().file() + " has no measured times");
    }
    if (lines.size() > MOST_LINES) {
      throw new InvalidInputException(
          "there are %d lines; allowed in a picture: %d".formatted(lines.size(), MOST_LINES));
    }
    List<Line> all = List.copyOf(lines.values());
    return ofLayer
        ? new SpeedView("Attention of one layer", layerSetting(), "time, index included (ms)", all)
        : new SpeedView("Time to read a prompt", runSetting(), "time to the first token (s)", all);
  }

  private static String kind(boolean ofLayer) {
    return ofLayer ? "attention" : "prefill";
  }

  private static boolean isOfLayer(JsonPlace file) {
    if (file.find("shapes").isPresent()) {
      return true;
    }
    if (file.find("runs").isPresent()) {
      return false;
    }
    throw new InvalidInputException(
        file.file()
            + " has neither \"shapes\" nor \"runs\"; allowed: what 'heddle bench attention --json' or"
            + " 'heddle bench prefill --json' prints");
  }

  private void addLayers(JsonPlace file) {
    for (JsonPlace shape : file.list("shapes")) {
      int tokens = shape.get("tokens").integer(1, MOST_TOKENS);
      List<JsonPlace> cases = shape.list("cases");
      for (JsonPlace measured : cases) {
        add(
            new Source(file, ""),
            name(measured, cases),
            tokens,
            positive(measured.get("totalMillis")));
      }
    }
  }

  /** The pattern, with the options that tell it from other cases of the same. */
  private static String name(JsonPlace measured, List<JsonPlace> cases) {
    String pattern = measured.get("pattern").text();
    List<JsonPlace> same =
        cases.stream()
            .filter(other -> other.get("pattern").text().equals(pattern))
            .map(other -> other.get("options"))
            .toList();
    JsonPlace options = measured.get("options");
    String given =
        options.keys().stream()
            .filter(key ->
                same.stream()
                    .anyMatch(other -> !other.node().get(key).equals(options.node().get(key))))
            .map(key -> key + " " + options.get(key).shown())
            .collect(Collectors.joining(", "));
    return given.isEmpty() ? pattern : pattern + ", " + given;
  }

  private void addRuns(JsonPlace file) {
    for (JsonPlace run : file.list("runs")) {
      String chunks =
          run.find("chunkTokens")
              .map(chunk -> ", in chunks of " + Shown.count(chunk.integer(1, MOST_TOKENS)))
              .orElse("");
      add(
          new Source(file, chunks),
          run.get("heads").text(),
          run.get("tokens").integer(1, MOST_TOKENS),
          positive(run.get("totalSeconds")));
    }
  }

  /** What lines have in common that are compared with one dense line. */
  private record Source(JsonPlace file, String chunks) {}

  private void add(Source source, String name, int tokens, double time) {
    String place = files.size() > 1 ? " (" + Shown.fileName(source.file().file()) + ")" : "";
    String group = source.chunks() + place;
    lines
        .computeIfAbsent(
            name + group,
            whole -> new Line(whole, group, name.equals(EvalCommand.DENSE), new TreeMap<>()))
        .times()
        .put(tokens, time);
  }

  private static double positive(JsonPlace time) {
    if (!(time.number() > 0)) {
      throw time.wrong("a time above 0");
    }
    return time.number();
  }

  private String layerSetting() {
    JsonPlace first = files.getFirst();
    List<JsonPlace> shapes = first.list("shapes");
    return "%s heads, %s key/value heads, head dim %s, %s; %s"
        .formatted(
            shapes.getFirst().get("queryHeads").shown(),
            shapes.getFirst().get("keyValueHeads").shown(),
            shapes.getFirst().get("headDim").shown(),
            first.get("elementType").text(),
            files.stream()
                .map(file -> file.get("device").text())
                .distinct()
                .collect(Collectors.joining("; ")));
  }

  private String runSetting() {
    return files.stream()
        .map(file -> Shown.fileName(file.get("model").text()))
        .distinct()
        .collect(Collectors.joining("; "));
  }
}
