package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every pattern on the GPU at every kernel's sizes and at awkward ones, against indices of the host
 * and rows in float64. Cases run beside each other: the backend is for several threads.
 */
class GpuCoverageTest extends GpuRuntimeTest {
  private static final int[] HEAD_DIMS = {64, 96, 128, 256, 8, 40, 72, 200};
  private static final int[] TOKENS = {1, 63, 64, 65, 113, 127, 128, 129, 1023, 4224};
  private static final int[] GROUPS = {1, 4, 8};
  private static final int SAMPLED_ROWS = 24;

  private static final Map<String, List<Map<String, Integer>>> OPTIONS =
      Map.of(
          "dense",
          List.of(Map.of()),
          "a-shape",
          List.of(
              Map.of("sink", 10, "local", 100),
              Map.of("sink", 0, "local", 1),
              Map.of("sink", 128, "local", 257),
              Map.of("sink", 5000, "local", 1)),
          "vertical-slash",
          List.of(
              Map.of("verticals", 30, "slashes", 60, "sink", 4, "local", 20),
              Map.of("verticals", 100, "slashes", 10, "sink", 0, "local", 1),
              Map.of("verticals", 0, "slashes", 200, "probe-queries", 17),
              Map.of("verticals", 5000, "slashes", 10)),
          "block-sparse",
          List.of(
              Map.of("blocks", 5, "sink-blocks", 1),
              Map.of("blocks", 1, "sink-blocks", 0),
              Map.of("blocks", 9, "sink-blocks", 3),
              Map.of("blocks", 500)),
          "random-rows",
          List.of(Map.of("seed", 3), Map.of("seed", 4)));

  static Stream<Arguments> kernels() {
    return Stream.of(ElementType.values())
        .flatMap(type ->
            IntStream.of(HEAD_DIMS).mapToObj(headDim -> Arguments.arguments(type, headDim)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyPatternAtEveryLength(ElementType type, int headDim) {
    assertThat(OPTIONS.keySet()).containsAll(registryNames());
    IntStream.range(0, 2 * TOKENS.length)
        .parallel()
        .forEach(i -> {
          int keys = TOKENS[i / 2];
          int queries = i % 2 == 0 ? keys : 1 + keys / 3;
          int group = GROUPS[(i / 2 + headDim / 8) % GROUPS.length];
          int keyValueHeads = group == 8 ? 1 : 2;
          AttentionShape shape =
              new AttentionShape(group * keyValueHeads, keyValueHeads, queries, keys, headDim);
          runAll(shape, type, i);
        });
  }

  @Test
  void longPromptsOfManyHeads() {
    runAll(new AttentionShape(32, 8, 8192, 8192, 128), ElementType.BFLOAT16, 0);
    runAll(new AttentionShape(8, 1, 1000, 32_768, 64), ElementType.FLOAT16, 1);
  }

  private void runAll(AttentionShape shape, ElementType type, int number) {
    Layout layout = List.of(Layout.values()).get(number % 3);
    // Real heads' lines in even cases, and scores without structure, close to each other, in odd.
    TestTensors tensors = new TestTensors(number + 31L * shape.headDim());
    TestLayer layer =
        number % 4 < 3
            ? tensors.rotaryLayer(shape, type, layout)
            : tensors.gaussianLayer(shape, type, layout);
    for (SparsePattern pattern : patterns()) {
      GpuCase.of(pattern, layer, OPTIONS.getOrDefault(pattern.name(), List.of()), layout)
          .assertRight(gpu, SAMPLED_ROWS);
    }
  }

  private List<SparsePattern> patterns() {
    List<SparsePattern> patterns = new ArrayList<>(List.of(new RandomRowsPattern()));
    registry.entries().forEach(entry -> patterns.add(entry.pattern()));
    return patterns;
  }

  private List<String> registryNames() {
    return registry.entries().stream().map(entry -> entry.pattern().name()).toList();
  }
}
