package dev.heddle.search;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.runtime.PatternFailedException;
import java.util.Objects;

/** Asks foreign patterns for indices. */
final class IndexBuilding {
  private IndexBuilding() {}

  /**
   * The index that {@code candidate} builds for {@code head}.
   *
   * @throws PatternFailedException if the pattern fails or gives no index for this head
   */
  static BlockIndex index(Candidate candidate, HeadInputs head) {
    BlockIndex index;
    try {
      index = candidate.pattern().index(head, candidate.options());
    } catch (OutOfMemoryError notThePatternsFault) {
      throw notThePatternsFault;
    } catch (Throwable failure) { // foreign code may throw anything; the message must say whose
      throw failed(candidate, head, failure);
    }
    if (Objects.isNull(index)) { // foreign code may break the promise of its signature
      throw failed(candidate, head, new IllegalStateException("it gave no index (null)"));
    }
    if (!index.shape().equals(head.shape()) || !index.blocks().equals(head.blocks())) {
      throw failed(
          candidate, head, new IllegalStateException("it gave an index for another shape"));
    }
    return index;
  }

  private static PatternFailedException failed(
      Candidate candidate, HeadInputs head, Throwable failure) {
    return new PatternFailedException(
        candidate.pattern().name(), head.layer(), head.head(), failure);
  }
}
