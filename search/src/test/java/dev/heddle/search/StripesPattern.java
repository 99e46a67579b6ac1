package dev.heddle.search;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A third party's pattern that says nothing about the search: single keys, and itself. */
final class StripesPattern implements SparsePattern {
  static final Option<Integer> STRIPES =
      Option.count("stripes", "keys", 512, 1, "Keys that every query reads, evenly spread.");

  private final AtomicInteger built = new AtomicInteger();

  @Override
  public String name() {
    return "stripes";
  }

  @Override
  public String description() {
    return "evenly spread keys, for tests";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(STRIPES);
  }

  /** Indices that were asked for. */
  int built() {
    return built.get();
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    built.incrementAndGet();
    int keys = head.shape().keyTokens();
    long stripes = Math.min(keys, options.get(STRIPES));
    BlockIndexBuilder builder = BlockIndex.builder(head.shape(), head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
      for (long i = 0; i * keys / stripes < builder.firstPosition(); i++) {
        builder.addRange(i * keys / stripes, i * keys / stripes + 1);
      }
      builder.addRange(builder.firstPosition(), builder.visibleKeys());
      builder.endRow();
    }
    return builder.build();
  }
}
