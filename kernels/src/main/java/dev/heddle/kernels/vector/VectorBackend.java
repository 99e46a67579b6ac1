package dev.heddle.kernels.vector;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;

/**
 * Attention in float32 on the Vector API. A task is a block of queries of one head; where few
 * queries read all keys, as in decoding, it is a part of the keys and all heads that share them.
 */
final class VectorBackend implements AttentionBackend {
  static final String NAME = "vector";

  private static final int LEAST_HEAD_DIM = 32;
  private static final int GREATEST_HEAD_DIM = 256;

  private final WorkerPool pool;
  private final ScratchPool<AttentionScratch> scratches = new ScratchPool<>();

  VectorBackend(int threads) {
    this.pool = new WorkerPool(NAME, threads);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void attend(AttentionCall call) {
    requireHeadDim(call.shape().headDim());
    pool.requireAccess("queries", call.queries().memory());
    pool.requireAccess("keys", call.keys().memory());
    pool.requireAccess("values", call.values().memory());
    pool.requireAccess("out", call.out().memory());
    if (call.wantsLogSumExp()) {
      pool.requireAccess("logSumExp", call.logSumExp());
    }
    if (DecodeAttention.suits(call)) {
      new DecodeAttention(call, pool, scratches).run();
    } else {
      new PrefillAttention(call, pool, scratches).run();
    }
  }

  @Override
  public void close() {
    pool.close();
  }

  private static void requireHeadDim(int headDim) {
    if (headDim < LEAST_HEAD_DIM || headDim > GREATEST_HEAD_DIM || headDim % 8 != 0) {
      throw new InvalidInputException(
          "headDim is %d; the vector backend takes %d to %d in steps of 8"
              .formatted(headDim, LEAST_HEAD_DIM, GREATEST_HEAD_DIM));
    }
  }
}
