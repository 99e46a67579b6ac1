package dev.heddle.testkit;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Whether the device's index of one head is the host's, but for what rounding can move.
 *
 * <p>What rounding can move is found by trial: the host builds the index again from numbers that
 * are off by up to one part in 2048, a thousand times as much as sums in float32 are. A key that
 * some of these indices read in a row and others do not is doubtful there. A doubtful key may be
 * read or not; any other must be read exactly if the host reads it.
 */
record IndexAgreement(PatternCase tried, TestLayer layer, int head) {
  private static final int TRIALS = 12;
  private static final float PART = 0x1p-11f;

  /** Asserts it, naming the first row and key that differ. */
  void assertAgree(BlockIndex host, BlockIndex device, ElementType type) {
    List<BlockIndex> trials = new ArrayList<>();
    for (int row = 0; row < host.rows(); row++) {
      BitSet differing = keys(device, row, host.blocks().queryRows());
      BitSet expected = keys(host, row);
      differing.xor(expected);
      takeOutDoubtful(differing, expected, row, host.blocks(), trials);
      if (!differing.isEmpty()) {
        int key = differing.nextSetBit(0);
        throw new AssertionError(
            "the index of the device is not the host's: row %d of head %d reads key %d on the %s alone, which no rounding explains (%d such keys), %s: %s"
                .formatted(
                    row,
                    head,
                    key,
                    expected.get(key) ? "host" : "device",
                    differing.cardinality(),
                    type,
                    tried));
      }
    }
    if (!device.blocks().equals(host.blocks())) {
      assertReadsRequired(device, type);
    }
  }

  /**
   * Rows of fewer queries than the host's leave out what these queries need not read. What they
   * must, the host says by an index of the same rows and of blocks of one key, which adds nothing.
   */
  private void assertReadsRequired(BlockIndex device, ElementType type) {
    BlockShape single = new BlockShape(device.blocks().queryRows(), 1);
    BlockIndex required = tried.pattern().index(layer.head(head, single), tried.options());
    List<BlockIndex> trials = new ArrayList<>();
    for (int row = 0; row < device.rows(); row++) {
      BitSet expected = keys(required, row);
      BitSet missing = (BitSet) expected.clone();
      missing.andNot(keys(device, row));
      takeOutDoubtful(missing, expected, row, single, trials);
      if (!missing.isEmpty()) {
        throw new AssertionError(
            "row %d of %d queries of head %d does not read key %d on the device (%d such keys), %s: %s"
                .formatted(
                    row,
                    single.queryRows(),
                    head,
                    missing.nextSetBit(0),
                    missing.cardinality(),
                    type,
                    tried));
      }
    }
  }

  /**
   * Takes out of {@code keys} those that are doubtful in a row.
   *
   * @param expected what the host reads there
   * @param trials filled here when first needed, with indices of {@code blocks}
   */
  private void takeOutDoubtful(
      BitSet keys, BitSet expected, int row, BlockShape blocks, List<BlockIndex> trials) {
    if (keys.isEmpty()) {
      return;
    }
    if (trials.isEmpty()) {
      trials.addAll(trials(blocks));
    }
    keys.andNot(doubtful(trials, expected, row));
  }

  private static BitSet doubtful(List<BlockIndex> trials, BitSet expected, int row) {
    BitSet some = (BitSet) expected.clone();
    BitSet all = (BitSet) expected.clone();
    for (BlockIndex trial : trials) {
      BitSet read = keys(trial, row);
      some.or(read);
      all.and(read);
    }
    some.andNot(all);
    return some;
  }

  private List<BlockIndex> trials(BlockShape blocks) {
    List<BlockIndex> trials = new ArrayList<>();
    RandomGenerator random =
        RandomGeneratorFactory.of("L64X128MixRandom").create(tried.seed() + head);
    for (int i = 0; i < TRIALS; i++) {
      TestLayer wide = layer.widened();
      disturb(wide.queries(), random);
      disturb(wide.keys(), random);
      trials.add(tried.pattern().index(wide.head(head, blocks), tried.options()));
    }
    return trials;
  }

  private static void disturb(HeadTensor tensor, RandomGenerator random) {
    float[] row = new float[tensor.headDim()];
    for (int tensorHead = 0; tensorHead < tensor.heads(); tensorHead++) {
      for (int token = 0; token < tensor.tokens(); token++) {
        tensor.head(tensorHead).copyRows(token, 1, row, 0);
        for (int dim = 0; dim < row.length; dim++) {
          row[dim] *= 1 + PART * random.nextFloat(-1, 1);
        }
        TestTensors.storeRow(tensor, tensorHead, token, row);
      }
    }
  }

  /** The keys that some query of {@code row} reads, where a row has {@code queryRows} queries. */
  private static BitSet keys(BlockIndex index, int row, int queryRows) {
    int rows = queryRows / index.blocks().queryRows();
    BitSet keys = new BitSet();
    for (int own = row * rows; own < Math.min((row + 1) * rows, index.rows()); own++) {
      keys.or(keys(index, own));
    }
    return keys;
  }

  /** The keys that some query of a row reads. */
  private static BitSet keys(BlockIndex index, int row) {
    BitSet keys = new BitSet();
    int visible = index.visibleKeys(row);
    if (index.isDense()) {
      keys.set(0, visible);
      return keys;
    }
    for (int i = 0; i < index.blockCount(row); i++) {
      int start = index.blockStart(row, i);
      keys.set(start, Math.min(start + index.blocks().keyColumns(), visible));
    }
    for (int i = 0; i < index.columnCount(row); i++) {
      keys.set(index.column(row, i));
    }
    return keys;
  }
}
