package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
import dev.heddle.runtime.PrefillReport;
import java.util.List;

/**
 * One head's index and where it comes from.
 *
 * @param pattern the name of the pattern that runs
 * @param note why that is not the assigned one; empty where it is
 */
record HeadIndex(String pattern, BlockIndex index, String note) {
  static List<BlockIndex> indices(List<HeadIndex> heads) {
    return heads.stream().map(HeadIndex::index).toList();
  }

  static List<PrefillReport.Head> reports(List<HeadIndex> heads) {
    return heads.stream().map(HeadIndex::report).toList();
  }

  private PrefillReport.Head report() {
    return new PrefillReport.Head(pattern, index.cells(), index.shape().causalCells(), note);
  }
}
