package com.example.trishape;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;

/**
 * Tri-shape: every query reads the first {@code sink} keys and the last {@code local} keys up to
 * its own, and the last {@code last} queries of the prompt read everything. These are mostly the
 * question about the prompt, and what they find decides the first answers.
 *
 * <p>The last queries are the last of those that are given: a prompt that is read in chunks has
 * {@code last} dense queries at the end of each.
 *
 * @see <a href="https://arxiv.org/abs/2412.10319">SCBench: A KV Cache-Centric Analysis of
 *     Long-Context Methods (2024)</a>
 */
public final class TriShapePattern implements SparsePattern {
  static final Option<Integer> SINK =
      Option.tokens("sink", 128, 0, "Keys at the start of the sequence that every query reads.");

  static final Option<Integer> LOCAL =
      Option.tokens(
          "local", 1024, 1, "Keys that every query reads up to and including its own position.");

  static final Option<Integer> LAST =
      Option.tokens("last", 128, 0, "Queries at the end of the prompt that read all keys.");

  @Override
  public String name() {
    return "tri-shape";
  }

  @Override
  public String description() {
    return "the first keys, a window before each query, and all keys for the last queries";
  }

  @Override
  public String inChunks() {
    return "the last queries of every chunk read all keys, not those of the prompt alone";
  }

  @Override
  public List<Option<?>> options() {
    return List.of(SINK, LOCAL, LAST);
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    AttentionShape shape = head.shape();
    long sink = options.get(SINK);
    long local = options.get(LOCAL);
    long firstOfTheLast = shape.keyTokens() - (long) options.get(LAST);
    if (sink + local >= shape.keyTokens() || firstOfTheLast <= shape.firstQueryPosition()) {
      return BlockIndex.dense(shape, head.blocks());
    }
    BlockIndexBuilder index = BlockIndex.builder(shape, head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(shape.queryTokens()); row++) {
      // A row is one for all queries of its block: if its last query reads everything, so do the
      // others.
      if (index.visibleKeys() > firstOfTheLast) {
        index.addRange(0, index.visibleKeys());
      } else {
        index.addRange(0, sink);
        index.addRange(index.firstPosition() - local + 1, index.visibleKeys());
      }
      index.endRow();
    }
    return index.build();
  }

  /** A-shape's candidate with a block of dense queries, to be grown or shrunk by the search. */
  @Override
  public List<Options> candidates(AttentionShape shape) {
    return List.of(Options.defaults(options()).with(SINK, 1024).with(LOCAL, 4096));
  }
}
