package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.ModelShape;
import java.io.IOException;

/**
 * Q, K and V of one layer, whose sizes fit together.
 *
 * @param shape their sizes
 * @param queries {@code [queryHeads][queryTokens][headDim]}
 * @param keys {@code [keyValueHeads][keyTokens][headDim]}
 * @param values {@code [keyValueHeads][keyTokens][headDim]}
 */
record AttendInputs(AttentionShape shape, HeadTensor queries, HeadTensor keys, HeadTensor values) {
  /** One of the three and where it came from. */
  private record Source(String name, String file, HeadTensor tensor) {
    @Override
    public String toString() {
      return "%s is %s (%s)"
          .formatted(name, new HeadAxes(tensor.heads(), tensor.tokens(), tensor.headDim()), file);
    }
  }

  /**
   * Maps the three files into memory.
   *
   * @throws InvalidInputException if one is malformed, or the sizes do not fit together
   */
  static AttendInputs map(ArrayReader reader, String queries, String keys, String values)
      throws IOException {
    Source q = new Source("Q", queries, reader.map(queries));
    Source k = new Source("K", keys, reader.map(keys));
    Source v = new Source("V", values, reader.map(values));
    require(k.tensor().heads() == v.tensor().heads(), k, v, "as many heads in V as in K");
    require(k.tensor().tokens() == v.tensor().tokens(), k, v, "as many tokens in V as in K");
    require(k.tensor().headDim() == v.tensor().headDim(), k, v, "as many numbers in V as in K");
    require(q.tensor().headDim() == k.tensor().headDim(), q, k, "as many numbers in K as in Q");
    require(q.tensor().heads() % k.tensor().heads() == 0, q, k, "a multiple of K's heads in Q");
    require(q.tensor().tokens() <= k.tensor().tokens(), q, k, "at most K's tokens in Q");
    AttentionShape shape =
        new AttentionShape(
            q.tensor().heads(),
            k.tensor().heads(),
            q.tensor().tokens(),
            k.tensor().tokens(),
            q.tensor().headDim());
    return new AttendInputs(shape, q.tensor(), k.tensor(), v.tensor());
  }

  /** A model that has this layer and no other. */
  ModelShape oneLayer() {
    return new ModelShape(1, shape.queryHeads(), shape.keyValueHeads(), shape.headDim());
  }

  private static void require(boolean fits, Source one, Source other, String needed) {
    if (!fits) {
      throw new InvalidInputException(one + ", but " + other + "; needed: " + needed);
    }
  }
}
