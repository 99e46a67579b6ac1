package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The vector backend against float64. Also run with narrower vectors than the processor has. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VectorBackendTest {
  private AttentionBackend backend;

  @BeforeAll
  void open() {
    backend = new VectorProvider().open(2);
  }

  @AfterAll
  void close() {
    backend.close();
  }

  @ParameterizedTest(name = "{0} queries of {1} keys, group {2}")
  @CsvSource({
    "1, 1, 1",
    "63, 63, 4",
    "64, 64, 1",
    "65, 65, 8",
    "113, 113, 1",
    "127, 127, 4",
    "1, 127, 4",
    "2, 65, 8",
    "65, 127, 1",
    "300, 301, 1"
  })
  void denseEqualsTheFormula(int queries, int keys, int group) {
    AttentionShape shape = new AttentionShape(2 * group, 2, queries, keys, 32);
    AttentionCall call =
        new AttentionCases(queries + keys)
            .call(shape, ElementType.FLOAT32, AttentionCases.dense(shape));
    backend.attend(call);
    PlainAttention.requireTwiceAsGood(call);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void anyIndexEqualsTheFormula(int seed) {
    Random random = new Random(seed);
    int group = new int[] {1, 4, 8}[random.nextInt(3)];
    int keys = 1 + random.nextInt(250);
    int queries = random.nextBoolean() ? keys : 1 + random.nextInt(keys);
    AttentionShape shape = new AttentionShape(group, 1, queries, keys, 40);
    BlockShape blocks = new BlockShape(1 + random.nextInt(300), 1 + random.nextInt(100));
    AttentionCases cases = new AttentionCases(seed);
    AttentionCall call = cases.call(shape, ElementType.FLOAT32, cases.indices(shape, blocks));
    backend.attend(call);
    PlainAttention.requireTwiceAsGood(call);
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void everyElementTypeIsAsGoodAsItsPlainComputation(ElementType type) {
    AttentionShape shape = new AttentionShape(4, 2, 70, 130, 48);
    AttentionCases cases = new AttentionCases(7);
    AttentionCall call = cases.call(shape, type, cases.indices(shape, BlockShape.DEFAULT));
    backend.attend(call);
    PlainAttention.requireTwiceAsGood(call);
  }

  @Test
  void everyHeadDimFrom32To256InStepsOf8() {
    for (int headDim = 32; headDim <= 256; headDim += 8) {
      AttentionShape shape = new AttentionShape(1, 1, 11, 19, headDim);
      AttentionCases cases = new AttentionCases(headDim);
      AttentionCall call =
          cases.call(shape, ElementType.FLOAT32, cases.indices(shape, BlockShape.DEFAULT));
      backend.attend(call);
      PlainAttention.requireTwiceAsGood(call);
    }
  }

  @ParameterizedTest(name = "{0} queries, {1} key/value heads")
  @CsvSource({"1, 1", "1, 3", "5, 1"})
  void decodingInPartsEqualsTheFormula(int queries, int keyValueHeads) {
    AttentionShape shape = new AttentionShape(4 * keyValueHeads, keyValueHeads, queries, 2500, 32);
    AttentionCall call =
        new AttentionCases(queries).call(shape, ElementType.FLOAT32, AttentionCases.dense(shape));
    backend.attend(call);
    PlainAttention.requireTwiceAsGood(call);
  }

  @Test
  void anIndexThatListsEverythingIsDenseAttention() {
    AttentionShape shape = new AttentionShape(2, 1, 150, 200, 64);
    AttentionCall call =
        new AttentionCases(3).call(shape, ElementType.FLOAT32, AttentionCases.everything(shape));
    backend.attend(call);
    AttentionCall dense =
        new AttentionCall(
            shape,
            call.queries(),
            call.keys(),
            call.values(),
            call.out(),
            call.logSumExp(),
            call.softmaxScale(),
            AttentionCases.dense(shape));
    PlainAttention.requireTwiceAsGood(dense);
  }

  @Test
  void twoPartsOfTheKeysMergeByTheirLogSumExp() {
    AttentionShape shape = new AttentionShape(2, 1, 37, 190, 32);
    AttentionCall whole =
        new AttentionCases(11).call(shape, ElementType.FLOAT32, AttentionCases.everything(shape));
    AttentionCall first = AttentionCases.again(whole, ElementType.FLOAT32, keys(shape, 0, 128));
    AttentionCall second = AttentionCases.again(whole, ElementType.FLOAT32, keys(shape, 128, 190));
    backend.attend(first);
    backend.attend(second);
    merge(first, second, whole);
    // The lse of each part, between 4 and 8, is rounded to float32 by up to 2^-22, and that is by
    // how
    // much the part's weight in the whole is wrong; the usual four roundings come on top.
    PlainAttention.requireTwiceAsGood(whole, 2 * 0x1p-22 + 4 * 0x1p-24);
  }

  @Test
  void takesRowsAndHeadsAtAnyStride() {
    AttentionShape shape = new AttentionShape(4, 2, 70, 100, 32);
    AttentionCases cases = new AttentionCases(5);
    AttentionCall call =
        cases.call(shape, ElementType.FLOAT32, cases.indices(shape, BlockShape.DEFAULT));
    AttentionCall interleaved =
        new AttentionCall(
            shape,
            interleaved(call.queries()),
            interleaved(call.keys()),
            interleaved(call.values()),
            interleaved(call.out()),
            MemorySegment.NULL,
            call.softmaxScale(),
            call.indices());
    backend.attend(call);
    backend.attend(interleaved);
    for (int head = 0; head < 4; head++) {
      for (int token = 0; token < 70; token++) {
        for (int dim = 0; dim < 32; dim++) {
          assertThat(interleaved.out().head(head).get(token, dim))
              .isEqualTo(call.out().head(head).get(token, dim));
        }
      }
    }
  }

  @Test
  void threadsDoNotChangeTheResult() {
    AttentionShape shape = new AttentionShape(2, 1, 300, 300, 32);
    AttentionCall two =
        new AttentionCases(9).call(shape, ElementType.FLOAT32, AttentionCases.everything(shape));
    AttentionCall one = AttentionCases.again(two, ElementType.FLOAT32, two.indices());
    backend.attend(two);
    try (AttentionBackend alone = new VectorProvider().open(1)) {
      alone.attend(one);
    }
    assertThat(PlainAttention.greatestError(two.out(), one.out())).isZero();
  }

  /**
   * Every query reads the keys {@code first} to {@code end - 1} that it may see; whole blocks, so
   * that the index lists no others.
   */
  private static List<BlockIndex> keys(AttentionShape shape, int first, int end) {
    BlockIndexBuilder builder = BlockIndex.builder(shape, BlockShape.DEFAULT);
    for (int row = 0; row < BlockShape.DEFAULT.queryBlocks(shape.queryTokens()); row++) {
      builder.addRange(first, end).endRow();
    }
    return Collections.nCopies(shape.queryHeads(), builder.build());
  }

  private static void merge(AttentionCall first, AttentionCall second, AttentionCall whole) {
    int headDim = whole.shape().headDim();
    for (long row = 0; row < PlainAttention.elements(PlainAttention.sums(whole)); row++) {
      double a = ElementType.FLOAT32.load(first.logSumExp(), row);
      double b = ElementType.FLOAT32.load(second.logSumExp(), row);
      double sum = Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
      ElementType.FLOAT32.store(whole.logSumExp(), row, (float) sum);
      for (long i = row * headDim; i < (row + 1) * headDim; i++) {
        double merged =
            Math.exp(a - sum) * PlainAttention.load(first.out(), i)
                + Math.exp(b - sum) * PlainAttention.load(second.out(), i);
        ElementType.FLOAT32.store(whole.out().memory(), i, (float) merged);
      }
    }
  }

  private static HeadTensor interleaved(HeadTensor tensor) {
    MemorySegment memory = Arena.ofAuto().allocate(4 * PlainAttention.elements(tensor));
    HeadTensor copy =
        HeadTensor.interleaved(
            memory, ElementType.FLOAT32, tensor.heads(), tensor.tokens(), tensor.headDim());
    for (int head = 0; head < tensor.heads(); head++) {
      for (int token = 0; token < tensor.tokens(); token++) {
        for (int dim = 0; dim < tensor.headDim(); dim++) {
          float value = tensor.head(head).get(token, dim);
          ElementType.FLOAT32.store(memory, copy.head(head).rowOffset(token) + dim, value);
        }
      }
    }
    return copy;
  }
}
