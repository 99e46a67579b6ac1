package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** One model's golden values, made by {@code scripts/golden/make_golden.py}. */
final class GoldenFolder {
  /** The tiny models, one for each family and form of settings. */
  static final List<String> TINY =
      List.of("llama2", "llama31", "llama-linear", "mistral", "qwen2", "qwen3");

  static final String BUNDLED = "bundled";

  private final Path folder;
  private final JsonPlace golden;

  private GoldenFolder(Path folder) {
    this.folder = folder;
    this.golden = JsonFiles.readObject(folder.resolve("golden.json"));
  }

  /**
   * A prompt and what transformers made of it.
   *
   * @param name of the case
   * @param prompt token ids
   * @param positions places in the prompt whose logits are known
   * @param logits for each of the positions, all token ids
   * @param greedy the greedy continuation; empty where it was not asked for
   */
  @SuppressWarnings("ArrayRecordComponent") // test data, never compared
  record Case(String name, int[] prompt, int[] positions, float[][] logits, int[] greedy) {}

  static GoldenFolder of(String name) {
    return new GoldenFolder(path(name));
  }

  static Path path(String name) {
    try {
      URI uri = Objects.requireNonNull(GoldenFolder.class.getResource("/golden/" + name)).toURI();
      return Path.of(uri);
    } catch (URISyntaxException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** The folder with the model's own files. */
  Path modelFolder() {
    return folder.endsWith(BUNDLED) ? Path.of("../models/byte-llama-5m") : folder;
  }

  /** The greatest distance of transformers' float32 logits from its float64 logits. */
  double float32Error() {
    return golden.required("float32Error").positiveNumber();
  }

  List<Case> cases() {
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("golden.safetensors"))) {
      List<Case> cases =
          golden.required("cases").elements().stream().map(place -> read(place, file)).toList();
      assertThat(cases).isNotEmpty();
      return cases;
    }
  }

  private static Case read(JsonPlace place, SafetensorsFile file) {
    String name = place.required("name").string();
    int[] positions = integers(place.required("positions"));
    SafetensorsTensor tensor = file.tensor("logits." + name);
    int vocabulary = Math.toIntExact(tensor.shape().get(1));
    float[][] logits = new float[positions.length][vocabulary];
    for (int i = 0; i < positions.length; i++) {
      tensor.elementType().load(tensor.memory(), (long) i * vocabulary, logits[i], 0, vocabulary);
    }
    int[] greedy = place.optional("greedy").map(GoldenFolder::integers).orElse(new int[0]);
    return new Case(name, integers(place.required("prompt")), positions, logits, greedy);
  }

  private static int[] integers(JsonPlace place) {
    return place.elements().stream().mapToInt(element -> element.integer(0)).toArray();
  }
}
