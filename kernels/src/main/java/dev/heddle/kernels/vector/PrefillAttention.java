package dev.heddle.kernels.vector;

import static dev.heddle.kernels.vector.PanelProduct.LANES;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadMatrix;
import dev.heddle.kernels.AttentionCall;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One call, a query block per task. All threads work on one key/value head at a time, so that its K
 * and V stay in the cache that they share; on its last queries first, which see the most keys, so
 * that the tasks at the end are short.
 */
record PrefillAttention(
    AttentionCall call, WorkerPool pool, ScratchPool<AttentionScratch> scratches) {
  /** With fewer tasks per thread the threads would not end at about the same time. */
  private static final int TASKS_PER_THREAD = 8;

  /** Panels that a tile is worth copying for in any case. */
  private static final int LEAST_PANELS = 4;

  /** Queries of one head, all in row {@code row} of its index. */
  private record Task(int row, QueryRange range) {}

  void run() {
    List<Task> tasks = tasks();
    pool.run(
        tasks.size(),
        number ->
            AttentionScratch.use(scratches, call, scratch -> attend(tasks.get(number), scratch)));
  }

  private List<Task> tasks() {
    List<Task> tasks = new ArrayList<>();
    int queries = queriesPerTask();
    for (int head = 0; head < call.shape().queryHeads(); head++) {
      BlockIndex index = call.indices().get(head);
      if (index.isDense()) {
        addTasks(tasks, 0, new QueryRange(head, 1, 0, call.shape().queryTokens()), queries);
        continue;
      }
      for (int row = 0; row < index.rows(); row++) {
        int first = row * index.blocks().queryRows();
        addTasks(tasks, row, new QueryRange(head, 1, first, index.queriesInRow(row)), queries);
      }
    }
    tasks.sort(
        Comparator.<Task>comparingInt(task -> call.shape().keyValueHead(task.range.firstHead()))
            .thenComparingInt(task -> -task.range.firstQuery()));
    return tasks;
  }

  private int queriesPerTask() {
    int most = AttentionScratch.panels(call.shape().headDim());
    long panels =
        (long) call.shape().queryHeads() * Math.ceilDiv(call.shape().queryTokens(), LANES);
    long wanted = panels / ((long) TASKS_PER_THREAD * pool.threads());
    return Math.clamp(wanted, Math.min(LEAST_PANELS, most), most) * LANES;
  }

  private static void addTasks(List<Task> tasks, int row, QueryRange range, int queries) {
    for (int from = 0; from < range.queries(); from += queries) {
      tasks.add(new Task(row, range.part(from, queries)));
    }
  }

  private void attend(Task task, AttentionScratch scratch) {
    QueryRange range = task.range;
    int panels = Math.ceilDiv(range.queries(), LANES);
    for (int i = 0; i < panels; i++) {
      scratch.panels[i].load(call, range.part(i * LANES, LANES));
    }
    BlockIndex index = call.indices().get(range.firstHead());
    int keyValueHead = call.shape().keyValueHead(range.firstHead());
    HeadMatrix keys = call.keys().head(keyValueHead);
    HeadMatrix values = call.values().head(keyValueHead);
    int endKey = call.shape().firstQueryPosition() + range.firstQuery() + range.queries();
    KeyRuns runs = KeyRuns.of(index, task.row, endKey);
    while (runs.hasNext()) {
      scratch.tile.fill(runs, keys, values);
      for (int i = 0; i < panels; i++) {
        scratch.panels[i].attend(scratch.tile, scratch.scores);
      }
    }
    for (int i = 0; i < panels; i++) {
      scratch.panels[i].write(call);
    }
  }
}
