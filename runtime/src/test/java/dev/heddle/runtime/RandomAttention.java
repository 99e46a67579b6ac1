package dev.heddle.runtime;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Façades of models that do not exist, whose heads have random patterns and options. */
final class RandomAttention {
  private static final int[] HEAD_DIMS = {64, 96, 128, 256, 8, 40, 72, 200};
  private static final int[] GROUPS = {1, 4, 8, 2, 3};

  private RandomAttention() {}

  /** A façade on the CUDA backend in which every pattern is exactly as assigned. */
  static SparseAttention create(int layers, Random random) {
    int group = GROUPS[random.nextInt(GROUPS.length)];
    int keyValueHeads = group > 3 ? 1 : 1 + random.nextInt(2);
    int headDim = HEAD_DIMS[random.nextInt(HEAD_DIMS.length)];
    return create(
        new ModelShape(layers, group * keyValueHeads, keyValueHeads, headDim), "cuda", random);
  }

  static SparseAttention create(ModelShape model, String backend, Random random) {
    HeadsConfig.Builder heads = HeadsConfig.builder(model).defaults("dense", Map.of());
    for (int layer = 0; layer < model.layers(); layer++) {
      for (int head = 0; head < model.queryHeads(); head++) {
        String pattern =
            List.of("dense", "a-shape", "vertical-slash", "block-sparse", "random-rows")
                .get(random.nextInt(5));
        heads.assign("" + layer, "" + head, pattern, options(pattern, random));
      }
    }
    return SparseAttention.builder()
        .heads(heads.build())
        .registry(PatternRegistry.builder().discover().add(new RandomRowsPattern()).build())
        .backend(backend)
        .threads(2)
        .denseBelow(0)
        .build();
  }

  private static Map<String, Object> options(String pattern, Random random) {
    Map<String, Object> options = new HashMap<>();
    switch (pattern) {
      case "a-shape" -> {
        options.put("sink", random.nextInt(150));
        options.put("local", 1 + random.nextInt(300));
      }
      case "vertical-slash" -> {
        options.put("verticals", random.nextInt(120));
        options.put("slashes", 1 + random.nextInt(200));
        options.put("probe-queries", 1 + random.nextInt(80));
        options.put("sink", random.nextInt(30));
        options.put("local", 1 + random.nextInt(60));
      }
      case "block-sparse" -> {
        options.put("blocks", 1 + random.nextInt(6));
        options.put("sink-blocks", random.nextInt(3));
      }
      case "random-rows" -> options.put("seed", random.nextInt(1000));
      default -> {}
    }
    return options;
  }
}
