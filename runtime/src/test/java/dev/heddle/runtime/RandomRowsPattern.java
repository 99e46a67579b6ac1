package dev.heddle.runtime;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.Random;

/** A pattern without a GPU half: ranges and columns anywhere, from a seed and the head's number. */
final class RandomRowsPattern implements SparsePattern {
  static final Option<Integer> SEED =
      Option.count("seed", "number", 1, 0, "Where the numbers start.");

  @Override
  public String name() {
    return "random-rows";
  }

  @Override
  public String description() {
    return "a test's own";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(SEED);
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    Random random = new Random(options.get(SEED) * 1000L + head.head());
    BlockIndexBuilder builder = BlockIndex.builder(head.shape(), head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
      int visible = builder.visibleKeys();
      for (int i = random.nextInt(4); i > 0; i--) {
        int first = random.nextInt(visible);
        builder.addRange(first, first + random.nextInt(200));
      }
      for (int i = random.nextInt(90); i > 0; i--) {
        builder.addColumn(random.nextInt(visible));
      }
      // Every query reads a key.
      builder.addColumn(random.nextInt(builder.firstPosition() + 1)).endRow();
    }
    return builder.build();
  }
}
