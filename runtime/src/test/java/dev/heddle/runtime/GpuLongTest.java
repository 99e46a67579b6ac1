package dev.heddle.runtime;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Prompts of a million tokens: a few heads, and a few rows in float64. */
class GpuLongTest extends GpuRuntimeTest {
  private static final int TOKENS = 1 << 20;
  private static final int SAMPLED_ROWS = 10;

  @Test
  void aMillionTokens() {
    AttentionShape shape = new AttentionShape(2, 1, TOKENS, TOKENS, 128);
    ElementType type = ElementType.BFLOAT16;
    TestLayer layer =
        new TestLayer(shape, random(type, 2, 1), random(type, 1, 2), random(type, 1, 3));
    run("dense", layer, List.of(Map.of()));
    run("a-shape", layer, List.of(Map.of("sink", 1024, "local", 4096)));
    run(
        "vertical-slash",
        layer,
        List.of(
            Map.of("verticals", 1000, "slashes", 6096), Map.of("verticals", 3500, "slashes", 100)));
    run("block-sparse", layer, List.of(Map.of("blocks", 100)));
  }

  private void run(String pattern, TestLayer layer, List<Map<String, Integer>> options) {
    GpuCase.of(registry.get(pattern), layer, options, Layout.CONTIGUOUS)
        .assertRight(gpu, SAMPLED_ROWS);
  }

  /** Sums of three uniform numbers: like normal ones, and made in a second. */
  private static HeadTensor random(ElementType type, int heads, long seed) {
    HeadTensor tensor = Layout.CONTIGUOUS.allocate(type, heads, TOKENS, 128);
    IntStream.range(0, heads * (TOKENS / 1024))
        .parallel()
        .forEach(part -> {
          SplittableRandom random = new SplittableRandom(seed * 1_000_000 + part);
          float[] row = new float[128];
          for (int i = 0; i < 1024; i++) {
            for (int dim = 0; dim < 128; dim++) {
              double sum = random.nextDouble() + random.nextDouble() + random.nextDouble();
              row[dim] = (float) (2 * sum - 3);
            }
            int token = part % (TOKENS / 1024) * 1024 + i;
            TestTensors.storeRow(tensor, part / (TOKENS / 1024), token, row);
          }
        });
    return tensor;
  }
}
