package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The tensors of a model folder: one safetensors file, or several that an index lists. */
final class WeightFiles implements AutoCloseable {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  /** A name in the folder itself: an index must not lead to files elsewhere. */
  private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*");

  private final Path folder;
  private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();
  private final Map<String, SafetensorsFile> fileOfTensor = new TreeMap<>();

  private WeightFiles(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens all files.
   *
   * @throws InvalidInputException if there are none or one cannot be accepted
   */
  static WeightFiles open(Path folder) {
    WeightFiles weights = new WeightFiles(folder);
    try {
      weights.openAll();
      return weights;
    } catch (RuntimeException invalid) {
      weights.close();
      throw invalid;
    }
  }

  /** No files at all. */
  static WeightFiles none() {
    return new WeightFiles(Path.of(""));
  }

  Optional<SafetensorsTensor> find(String tensorName) {
    return Optional.ofNullable(fileOfTensor.get(tensorName)).flatMap(file -> file.find(tensorName));
  }

  SafetensorsTensor tensor(String tensorName) {
    return find(tensorName)
        .orElseThrow(() ->
            new InvalidInputException(
                "%s: tensor %s is missing from its safetensors files (%s)"
                    .formatted(
                        folder, JsonPlace.quoted(tensorName), String.join(", ", files.keySet()))));
  }

  Set<String> tensorNames() {
    return fileOfTensor.keySet();
  }

  @Override
  public void close() {
    files.values().forEach(SafetensorsFile::close);
  }

  private void openAll() {
    if (Files.exists(folder.resolve(SINGLE))) {
      SafetensorsFile file = open(SINGLE);
      file.tensorNames().forEach(tensor -> fileOfTensor.put(tensor, file));
    } else if (Files.exists(folder.resolve(INDEX))) {
      openListed(JsonFiles.readObject(folder.resolve(INDEX)).required("weight_map"));
    } else {
      throw new InvalidInputException(
          "%s: it holds no weights; allowed: %s, or %s and the files that it lists"
              .formatted(folder, SINGLE, INDEX));
    }
  }

  private void openListed(JsonPlace weightMap) {
    for (Map.Entry<String, JsonPlace> member : weightMap.members()) {
      JsonPlace place = member.getValue();
      String fileName = place.string();
      if (!PLAIN_NAME.matcher(fileName).matches()) {
        throw place.wrong("the name of a file in the same folder");
      }
      SafetensorsFile file = open(fileName);
      if (file.find(member.getKey()).isEmpty()) {
        throw place.error("the tensor is not in " + file.name());
      }
      fileOfTensor.put(member.getKey(), file);
    }
  }

  private SafetensorsFile open(String fileName) {
    SafetensorsFile open = files.get(fileName);
    if (open == null) {
      open = SafetensorsFile.open(folder.resolve(fileName));
      files.put(fileName, open);
    }
    return open;
  }
}
