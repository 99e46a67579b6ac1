package dev.heddle.kernels.vector;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.kernels.AttentionCall;

/**
 * One call of few queries that read all keys. The queries of all heads of a group fill one panel,
 * so that K and V are read once; where there are few groups, the keys are cut into parts for the
 * threads, and the parts' results are merged.
 */
final class DecodeAttention {
  /** A part of fewer keys is not worth a task and a merge. */
  private static final int LEAST_KEYS = 1024;

  private final AttentionCall call;
  private final WorkerPool pool;
  private final ScratchPool<AttentionScratch> scratches;
  private final int parts;
  private final QueryPanel[] partial;

  DecodeAttention(AttentionCall call, WorkerPool pool, ScratchPool<AttentionScratch> scratches) {
    this.call = call;
    this.pool = pool;
    this.scratches = scratches;
    AttentionShape shape = call.shape();
    int wanted = Math.ceilDiv(2 * pool.threads(), shape.keyValueHeads());
    this.parts = Math.clamp(shape.keyTokens() / LEAST_KEYS, 1, wanted);
    this.partial = new QueryPanel[parts * shape.keyValueHeads()];
  }

  /** Whether all heads are dense and the queries of a group fit one panel. */
  static boolean suits(AttentionCall call) {
    return (long) call.shape().groupSize() * call.shape().queryTokens() <= PanelProduct.LANES
        && call.indices().stream().allMatch(BlockIndex::isDense);
  }

  void run() {
    pool.run(
        partial.length,
        number -> AttentionScratch.use(scratches, call, scratch -> attend(number, scratch)));
    for (int head = 0; head < call.shape().keyValueHeads(); head++) {
      QueryPanel whole = partial[head * parts];
      for (int part = 1; part < parts; part++) {
        whole.merge(partial[head * parts + part]);
      }
      whole.write(call);
    }
  }

  private void attend(int number, AttentionScratch scratch) {
    AttentionShape shape = call.shape();
    int head = number / parts;
    int part = number % parts;
    QueryPanel panel = new QueryPanel(shape.headDim());
    panel.load(
        call, new QueryRange(head * shape.groupSize(), shape.groupSize(), 0, shape.queryTokens()));
    int firstKey = (int) ((long) shape.keyTokens() * part / parts);
    int endKey = (int) ((long) shape.keyTokens() * (part + 1) / parts);
    KeyRuns runs = KeyRuns.range(call.indices().get(0), firstKey, endKey);
    while (runs.hasNext()) {
      scratch.tile.fill(runs, call.keys().head(head), call.values().head(head));
      panel.attend(scratch.tile, scratch.scores);
    }
    partial[number] = panel;
  }
}
