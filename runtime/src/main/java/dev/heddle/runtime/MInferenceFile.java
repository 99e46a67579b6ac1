package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A pattern file as MInference publishes it: a JSON list with an object for each layer, in which
 * each head's number names {@code [type, v, s, score]}.
 *
 * <p>What it means is what MInference does with it:
 *
 * <ul>
 *   <li>{@code vertical_and_slash} keeps v columns, at least 30, and s offsets, at least 50;
 *   <li>{@code stream_llm} is A-shape with v sinks and a window of s keys;
 *   <li>{@code block_sparse} reads 100 key blocks, whatever v and s are, and forces none;
 *   <li>a head that its layer does not name is {@code vertical_and_slash} with 1000 and 6096.
 * </ul>
 *
 * <p>Scores are kept as notes. Older files give how many times a candidate won, newer ones a share
 * from 0 to 1.
 *
 * @see <a href="https://github.com/microsoft/MInference/tree/main/minference/configs">the published
 *     files</a>
 */
public final class MInferenceFile {
  /** What MInference uses for a head that the file does not name. */
  private static final Head MISSING = MInferenceReader.verticalSlash(1000, 6096);

  private final String name;
  private final List<SortedMap<Integer, Head>> layers;

  private MInferenceFile(String name, List<SortedMap<Integer, Head>> layers) {
    this.name = name;
    this.layers = layers;
  }

  /**
   * What the file says of one head, in Heddle's terms.
   *
   * @param score the fourth element: an {@code Integer}, {@code Long} or {@code Double}
   */
  record Head(PatternChoice choice, Number score) {}

  /**
   * Reads a file.
   *
   * @throws HeadsFileException if it is no such file, or says something that no heads file can,
   *     naming layer and head
   */
  public static MInferenceFile read(Path file) {
    return new MInferenceFile(
        file.toString(), new MInferenceReader(file.toString()).parse(HeadsFileText.read(file)));
  }

  /** Layers that it lists. */
  public int layers() {
    return layers.size();
  }

  /** Query heads that a model has at least: one more than the greatest number named. */
  public int queryHeads() {
    return layers.stream()
        .filter(layer -> !layer.isEmpty())
        .mapToInt(layer -> layer.lastKey() + 1)
        .max()
        .orElse(1);
  }

  /** Heads that each layer names. */
  public List<Integer> headCounts() {
    return layers.stream().map(Map::size).toList();
  }

  /**
   * The same as a heads configuration.
   *
   * @param model the sizes of the model, which the file does not state
   * @throws HeadsFileException if the model has another number of layers, or no such head
   */
  public HeadsConfig toHeads(ModelShape model) {
    requireFitting(model);
    List<List<PatternChoice>> choices =
        layers.stream().map(layer -> choices(layer, model.queryHeads())).toList();
    PatternChoice most = mostFrequent(choices);
    HeadsConfig.Builder builder = new HeadsConfig.Builder(name, model);
    builder.defaults(most).notes(notes());
    for (int first = 0; first < choices.size(); ) {
      int end = first + 1;
      while (end < choices.size() && choices.get(end).equals(choices.get(first))) {
        end++;
      }
      String range = end - first == 1 ? "" + first : first + "-" + (end - 1);
      addLayer(builder, range, choices.get(first), most);
      first = end;
    }
    return builder.build();
  }

  private void requireFitting(ModelShape model) {
    if (layers.size() != model.layers()) {
      throw new HeadsFileException(
          name,
          "",
          "it has %d layers; allowed: the model's %d".formatted(layers.size(), model.layers()));
    }
    for (int layer = 0; layer < layers.size(); layer++) {
      SortedMap<Integer, Head> heads = layers.get(layer);
      if (!heads.isEmpty() && heads.lastKey() >= model.queryHeads()) {
        throw new HeadsFileException(
            name,
            "layer " + layer,
            "the model has no head %d; allowed: 0 to %d"
                .formatted(heads.lastKey(), model.queryHeads() - 1));
      }
    }
  }

  private static List<PatternChoice> choices(SortedMap<Integer, Head> layer, int queryHeads) {
    return IntStream.range(0, queryHeads)
        .mapToObj(head -> layer.getOrDefault(head, MISSING).choice())
        .toList();
  }

  private static PatternChoice mostFrequent(List<List<PatternChoice>> choices) {
    return choices.stream()
        .flatMap(List::stream)
        .collect(
            Collectors.groupingBy(Function.identity(), LinkedHashMap::new, Collectors.counting()))
        .entrySet()
        .stream()
        .max(Comparator.comparingLong(Map.Entry::getValue))
        .map(Map.Entry::getKey)
        .orElseThrow(() -> new InvalidInputException("a model has at least one head"));
  }

  private static void addLayer(
      HeadsConfig.Builder builder, String range, List<PatternChoice> heads, PatternChoice most) {
    Map<PatternChoice, List<String>> byChoice = new LinkedHashMap<>();
    for (int head = 0; head < heads.size(); head++) {
      byChoice.computeIfAbsent(heads.get(head), _ -> new ArrayList<>()).add("" + head);
    }
    byChoice.remove(most);
    byChoice.forEach((choice, numbers) -> builder.assign(range, String.join(",", numbers), choice));
  }

  private Map<String, Object> notes() {
    boolean shares =
        layers.stream()
            .flatMap(layer -> layer.values().stream())
            .anyMatch(head -> head.score() instanceof Double);
    Map<String, Object> notes = new LinkedHashMap<>();
    notes.put("imported", "an MInference pattern file");
    notes.put("scoreScale", shares ? "share, 0 to 1" : "count");
    notes.put("scores", layers.stream().map(MInferenceFile::scores).toList());
    return notes;
  }

  private static Map<String, Number> scores(SortedMap<Integer, Head> layer) {
    Map<String, Number> scores = new LinkedHashMap<>();
    layer.forEach((number, head) -> scores.put(String.valueOf(number), head.score()));
    return scores;
  }
}
