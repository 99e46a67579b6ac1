package dev.heddle.testkit;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;

/** The last queries of a prompt, given as a chunk, against the same queries in the whole prompt. */
final class Chunks {
  private static final AttentionShape WHOLE = new AttentionShape(4, 2, 301, 301, 16);
  private static final BlockShape BLOCKS = new BlockShape(16, 8);

  /** A multiple of the query rows, so that a query block is the same queries in both. */
  private static final int FIRST_QUERY = 160;

  private Chunks() {}

  /** Asserts that the chunk's queries read what they read in the whole. */
  static void assertRowsOfTheWhole(PatternCase anyShape) {
    PatternCase whole =
        new PatternCase(anyShape.pattern(), anyShape.options(), WHOLE, BLOCKS, anyShape.seed());
    TestLayer layer = whole.layer(ElementType.FLOAT32, Layout.CONTIGUOUS);
    int queries = WHOLE.queryTokens() - FIRST_QUERY;
    PatternCase chunk =
        whole.with(
            new AttentionShape(
                WHOLE.queryHeads(),
                WHOLE.keyValueHeads(),
                queries,
                WHOLE.keyTokens(),
                WHOLE.headDim()));
    TestLayer tail =
        new TestLayer(chunk.shape(), tail(layer.queries()), layer.keys(), layer.values());
    for (int head = 0; head < WHOLE.queryHeads(); head++) {
      BlockIndex inWhole = whole.indices(layer).get(head);
      BlockIndex inChunk = chunk.indices(tail).get(head);
      for (int query = 0; query < queries; query++) {
        assertSame(inWhole, inChunk, query, "head " + head + ": " + chunk);
      }
    }
  }

  private static void assertSame(BlockIndex whole, BlockIndex chunk, int query, String where) {
    for (int key = 0; key <= query + FIRST_QUERY; key++) {
      boolean reads = chunk.attends(query, key);
      if (reads != whole.attends(query + FIRST_QUERY, key)) {
        throw new AssertionError(
            "the query at position %d %s key %d when it is part of a chunk, but %s when the whole prompt is given at once; if that is meant, let chunksGiveTheRowsOfTheWhole() return false: %s"
                .formatted(
                    query + FIRST_QUERY,
                    reads ? "reads" : "does not read",
                    key,
                    reads ? "does not" : "reads it",
                    where));
      }
    }
  }

  private static HeadTensor tail(HeadTensor queries) {
    long bytes = FIRST_QUERY * queries.tokenStride() * queries.type().bytes();
    return new HeadTensor(
        queries.memory().asSlice(bytes),
        queries.type(),
        queries.heads(),
        queries.tokens() - FIRST_QUERY,
        queries.headDim(),
        queries.headStride(),
        queries.tokenStride());
  }
}
