package dev.heddle.runtime.engine;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.Prefill;
import jakarta.inject.Inject;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;

/** Checks a call against the plan before anything is computed. */
final class PrefillCheck {
  private final AttentionPlan plan;
  private final AttentionSettings settings;

  /** Stands for the threads that indices and backends run on. */
  private final Thread anyOtherThread = Thread.ofPlatform().unstarted(() -> {});

  @Inject
  PrefillCheck(AttentionPlan plan, AttentionSettings settings) {
    this.plan = plan;
    this.settings = settings;
    settings
        .queryHeadOffset()
        .ifPresent(first -> requireIndex("queryHeadOffset", first, plan.shape().queryHeads()));
  }

  /**
   * The call in which every head is dense.
   *
   * @throws InvalidInputException naming the tensor, its size and what is allowed
   */
  AttentionCall denseCall(int layer, Prefill prefill) {
    requireIndex("layer", layer, plan.shape().layers());
    requireHeads(prefill.queries().heads(), prefill.keys().heads());
    requireHeadDim(prefill.queries().headDim());
    if (!Float.isFinite(prefill.softmaxScale())) {
      throw new InvalidInputException(
          "softmaxScale is " + prefill.softmaxScale() + "; allowed: a finite number");
    }
    requireMemory(prefill);
    AttentionShape shape =
        new AttentionShape(
            prefill.queries().heads(),
            prefill.keys().heads(),
            prefill.queries().tokens(),
            prefill.keys().tokens(),
            prefill.queries().headDim());
    BlockIndex dense = BlockIndex.dense(shape, settings.blocks());
    return new AttentionCall(
        shape,
        prefill.queries(),
        prefill.keys(),
        prefill.values(),
        prefill.out(),
        prefill.logSumExp(),
        prefill.softmaxScale(),
        Collections.nCopies(shape.queryHeads(), dense));
  }

  /**
   * Checks a layer in device memory against the plan.
   *
   * @throws InvalidInputException naming what does not fit and what is allowed
   */
  void requireFitting(int layer, GpuLayer tensors) {
    requireIndex("layer", layer, plan.shape().layers());
    requireHeads(tensors.queries().heads(), tensors.keys().heads());
    requireHeadDim(tensors.queries().headDim());
  }

  /** The call {@code call} with other indices. */
  static AttentionCall withIndices(AttentionCall call, List<BlockIndex> indices) {
    return new AttentionCall(
        call.shape(),
        call.queries(),
        call.keys(),
        call.values(),
        call.out(),
        call.logSumExp(),
        call.softmaxScale(),
        indices);
  }

  private void requireHeads(int queryHeads, int keyValueHeads) {
    ModelShape model = plan.shape();
    if (settings.queryHeadOffset().isPresent()) {
      requireShardHeads(settings.queryHeadOffset().getAsInt(), queryHeads, keyValueHeads);
    } else if (queryHeads != model.queryHeads() || keyValueHeads != model.keyValueHeads()) {
      throw new InvalidInputException(
          ("the call has %d query heads and %d key/value heads; allowed: the model's %d and %d,"
                  + " or those of a shard after queryHeadOffset(…)")
              .formatted(queryHeads, keyValueHeads, model.queryHeads(), model.keyValueHeads()));
    }
  }

  /** A shard's heads must read the key/value heads that they read in the whole model. */
  private void requireShardHeads(int first, int queryHeads, int keyValueHeads) {
    ModelShape model = plan.shape();
    int last = first + queryHeads - 1;
    if (last >= model.queryHeads()) {
      throw new InvalidInputException(
          "the shard's query heads are %d to %d; allowed: 0 to %d"
              .formatted(first, last, model.queryHeads() - 1));
    }
    int group = model.queryHeads() / model.keyValueHeads();
    int firstRead = first / group;
    int read = last / group - firstRead + 1;
    if (keyValueHeads != read) {
      throw new InvalidInputException(
          "the shard has %d key/value heads, but its query heads %d to %d read %d to %d; allowed: %d"
              .formatted(keyValueHeads, first, last, firstRead, firstRead + read - 1, read));
    }
    if (read > 1 && (first % group != 0 || queryHeads % group != 0)) {
      throw new InvalidInputException(
          "the shard's query heads %d to %d cut a group in two; allowed: whole groups of %d, or heads of one group"
              .formatted(first, last, group));
    }
  }

  private void requireHeadDim(int headDim) {
    if (headDim != plan.shape().headDim()) {
      throw new InvalidInputException(
          "queries have a head dim of %d; allowed: the model's, %d"
              .formatted(headDim, plan.shape().headDim()));
    }
  }

  private static void requireIndex(String name, int value, int count) {
    if (value < 0 || value >= count) {
      throw new InvalidInputException(
          "%s is %d; allowed: 0 to %d".formatted(name, value, count - 1));
    }
  }

  private void requireMemory(Prefill prefill) {
    requireShared("queries", prefill.queries().memory());
    requireShared("keys", prefill.keys().memory());
    requireShared("values", prefill.values().memory());
    requireShared("out", prefill.out().memory());
    requireShared("logSumExp", prefill.logSumExp());
    requireWritable("out", prefill.out().memory());
    requireWritable("logSumExp", prefill.logSumExp());
  }

  private void requireShared(String name, MemorySegment memory) {
    if (!memory.scope().isAlive()) {
      throw new InvalidInputException("the memory of " + name + " has been freed");
    }
    if (!memory.isAccessibleBy(anyOtherThread)) {
      throw new InvalidInputException(
          "the memory of "
              + name
              + " is confined to one thread; allowed: memory of a shared, automatic or global arena,"
              + " a mapped file, or an array");
    }
  }

  private static void requireWritable(String name, MemorySegment memory) {
    if (memory.isReadOnly()) {
      throw new InvalidInputException("the memory of " + name + " is read-only");
    }
  }
}
