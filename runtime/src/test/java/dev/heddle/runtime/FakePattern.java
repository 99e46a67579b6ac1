package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/** A pattern made of what a test says. */
record FakePattern(
    String name, List<Option<?>> options, BiFunction<HeadInputs, Options, BlockIndex> indexBuilder)
    implements SparsePattern {
  static final Option<Integer> KEYS = Option.tokens("keys", 3, 1, "Keys that every query reads.");

  /** Reads exactly the keys below its option {@code keys}. */
  static FakePattern firstKeys() {
    return new FakePattern(
        "first-keys", List.of(KEYS), (head, options) -> firstKeys(head, options.get(KEYS)));
  }

  /** A pattern whose index is never asked for. */
  static FakePattern named(String name) {
    return new FakePattern(name, List.of(), (head, options) -> dense(head));
  }

  static FakePattern building(BiFunction<HeadInputs, Options, BlockIndex> indexBuilder) {
    return new FakePattern("faulty", List.of(), indexBuilder);
  }

  private static BlockIndex dense(HeadInputs head) {
    return BlockIndex.dense(head.shape(), head.blocks());
  }

  private static BlockIndex firstKeys(HeadInputs head, int keys) {
    int rows = head.blocks().queryBlocks(head.shape().queryTokens());
    int[][] columns = new int[rows][];
    for (int row = 0; row < rows; row++) {
      int lastQuery = Math.min((row + 1) * head.blocks().queryRows(), head.shape().queryTokens());
      int visible = head.shape().firstQueryPosition() + lastQuery;
      columns[row] = IntStream.range(0, Math.min(keys, visible)).toArray();
    }
    return BlockIndex.of(head.shape(), head.blocks(), new int[rows][0], columns);
  }

  @Override
  public String description() {
    return "a test's own";
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    return indexBuilder.apply(head, options);
  }
}
