package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.function.ToIntFunction;

/**
 * Sequences of different lengths packed along the token axis, with rows of NaN between them that
 * belong to none.
 *
 * @param shape heads and head dim, and the rows of all
 */
record PackedBatch(
    AttentionShape shape,
    List<GpuSequence> sequences,
    HeadTensor queries,
    HeadTensor keys,
    HeadTensor values,
    HeadTensor out,
    MemorySegment logSumExp) {
  private static final float UNTOUCHED = 77;

  /** Normal numbers; sizes and gaps from {@code random}. */
  static PackedBatch random(
      ModelShape model, List<int[]> lengths, ElementType type, Layout layout, Random random) {
    List<GpuSequence> sequences = new ArrayList<>();
    int query = random.nextInt(3);
    int key = random.nextInt(3);
    for (int[] length : lengths) {
      sequences.add(new GpuSequence(query, length[0], key, length[1]));
      query += length[0] + random.nextInt(3);
      key += length[1] + random.nextInt(3);
    }
    int keyTokens = Math.max(key, query);
    AttentionShape shape =
        new AttentionShape(
            model.queryHeads(), model.keyValueHeads(), query, keyTokens, model.headDim());
    TestLayer layer = new TestTensors(random.nextLong()).gaussianLayer(shape, type, layout);
    spoilGaps(layer.queries(), sequences, GpuSequence::firstQuery, GpuSequence::queryTokens);
    spoilGaps(layer.keys(), sequences, GpuSequence::firstKey, GpuSequence::keyTokens);
    spoilGaps(layer.values(), sequences, GpuSequence::firstKey, GpuSequence::keyTokens);
    HeadTensor out = layout.allocate(type, shape.queryHeads(), query, shape.headDim());
    for (long i = 0; i < out.memory().byteSize() / type.bytes(); i++) {
      type.store(out.memory(), i, UNTOUCHED);
    }
    MemorySegment logSumExp = Arena.ofAuto().allocate(4L * shape.queryHeads() * query, 4);
    return new PackedBatch(
        shape, sequences, layer.queries(), layer.keys(), layer.values(), out, logSumExp);
  }

  /** Runs layer {@code layer} behind the upload on the caller's stream; fills the outputs. */
  void run(SparseAttention attention, int layer, CallerDevice device) {
    run(attention, layer, device, () -> {});
  }

  /** The same, doing {@code queued} when all is queued and nothing was waited for. */
  void run(SparseAttention attention, int layer, CallerDevice device, Runnable queued) {
    device.forgetAll();
    GpuTensor result = device.upload(out);
    long logSumExpAddress = device.takeLogSumExp(out);
    attention.prefill(
        layer,
        new GpuLayer(
            device.upload(queries),
            device.upload(keys),
            device.upload(values),
            result,
            logSumExpAddress,
            softmaxScale(),
            BlockShape.DEFAULT,
            sequences),
        device.stream());
    queued.run();
    device.download(result.address(), out.memory());
    device.download(logSumExpAddress, logSumExp);
    device.await();
  }

  float softmaxScale() {
    return (float) (1 / Math.sqrt(shape.headDim()));
  }

  /** One sequence, as views of what is packed. */
  TestLayer layer(int sequence) {
    GpuSequence place = sequences.get(sequence);
    AttentionShape one =
        new AttentionShape(
            shape.queryHeads(),
            shape.keyValueHeads(),
            place.queryTokens(),
            place.keyTokens(),
            shape.headDim());
    return new TestLayer(
        one,
        rows(queries, place.firstQuery(), place.queryTokens()),
        rows(keys, place.firstKey(), place.keyTokens()),
        rows(values, place.firstKey(), place.keyTokens()));
  }

  /** One sequence's output, as a view of what is packed. */
  HeadTensor out(int sequence) {
    GpuSequence place = sequences.get(sequence);
    return rows(out, place.firstQuery(), place.queryTokens());
  }

  /** One sequence's log-sum-exp, {@code [queryHeads][queryTokens]}. */
  MemorySegment logSumExp(int sequence) {
    GpuSequence place = sequences.get(sequence);
    float[] rows = new float[shape.queryHeads() * place.queryTokens()];
    for (int head = 0; head < shape.queryHeads(); head++) {
      ElementType.FLOAT32.load(
          logSumExp,
          (long) head * shape.queryTokens() + place.firstQuery(),
          rows,
          head * place.queryTokens(),
          place.queryTokens());
    }
    return MemorySegment.ofArray(rows);
  }

  void assertGapsUntouched(String name) {
    BitSet used = used(sequences, GpuSequence::firstQuery, GpuSequence::queryTokens);
    for (int token = 0; token < shape.queryTokens(); token++) {
      for (int head = 0; !used.get(token) && head < shape.queryHeads(); head++) {
        assertThat(out.head(head).get(token, 0))
            .as("%s: row %d, which is no sequence's", name, token)
            .isEqualTo(UNTOUCHED);
      }
    }
  }

  /** What reads a row that is no sequence's shows it. */
  private static void spoilGaps(
      HeadTensor tensor,
      List<GpuSequence> sequences,
      ToIntFunction<GpuSequence> first,
      ToIntFunction<GpuSequence> count) {
    float[] row = new float[tensor.headDim()];
    Arrays.fill(row, Float.NaN);
    BitSet used = used(sequences, first, count);
    for (int token = 0; token < tensor.tokens(); token++) {
      for (int head = 0; !used.get(token) && head < tensor.heads(); head++) {
        TestTensors.storeRow(tensor, head, token, row);
      }
    }
  }

  private static BitSet used(
      List<GpuSequence> sequences,
      ToIntFunction<GpuSequence> first,
      ToIntFunction<GpuSequence> count) {
    BitSet used = new BitSet();
    for (GpuSequence place : sequences) {
      used.set(first.applyAsInt(place), first.applyAsInt(place) + count.applyAsInt(place));
    }
    return used;
  }

  private static HeadTensor rows(HeadTensor all, int first, int count) {
    return new HeadTensor(
        all.memory().asSlice(first * all.tokenStride() * all.type().bytes()),
        all.type(),
        all.heads(),
        count,
        all.headDim(),
        all.headStride(),
        all.tokenStride());
  }
}
