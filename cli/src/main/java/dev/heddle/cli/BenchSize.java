package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import java.util.List;

/**
 * What is measured where nothing is said, for each backend: enough work that the fixed costs of a
 * call do not show, and no more than some minutes of it.
 */
record BenchSize(
    List<Integer> tokens,
    int queryHeads,
    int keyValueHeads,
    int headDim,
    ElementType type,
    int warmup,
    int repeat) {
  private static final BenchSize GPU =
      new BenchSize(List.of(32_768, 131_072), 32, 8, 128, ElementType.BFLOAT16, 3, 10);
  private static final BenchSize VECTOR =
      new BenchSize(List.of(32_768), 2, 1, 128, ElementType.FLOAT32, 1, 3);
  private static final BenchSize REFERENCE =
      new BenchSize(List.of(2_048), 2, 1, 64, ElementType.FLOAT32, 1, 3);

  static BenchSize standard(String backend) {
    return switch (backend) {
      case "cuda" -> GPU;
      case "reference" -> REFERENCE;
      default -> VECTOR;
    };
  }

  /** The shapes, one for each length. */
  List<AttentionShape> shapes() {
    return tokens.stream()
        .map(count -> new AttentionShape(queryHeads, keyValueHeads, count, count, headDim))
        .toList();
  }
}
