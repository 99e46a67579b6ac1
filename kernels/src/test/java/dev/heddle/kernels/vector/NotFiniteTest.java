package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NaN and infinities in Q, K and V: the rows that they reach, and no other. */
class NotFiniteTest {
  private static final AttentionShape SHAPE = new AttentionShape(2, 1, 140, 150, 32);

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void inOneQueryStaysInItsRow(float value) {
    AttentionCall call = call(3, false);
    set(call.queries(), 77, value);
    AttentionCall expected = attendBoth(call);
    requireSameKinds(call, expected);
    assertThat(rowsThatAreNotFinite(call)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void inOneKeyReachesTheQueriesThatReadIt(float value) {
    AttentionCall call = call(4, true);
    set(call.keys(), 100, value);
    requireSameKinds(call, attendBoth(call));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void inOneValueReachesTheQueriesThatReadIt(float value) {
    for (boolean dense : new boolean[] {true, false}) {
      AttentionCall call = call(5, dense);
      set(call.values(), 100, value);
      requireSameKinds(call, attendBoth(call));
    }
  }

  @Test
  void aQueryWhoseScoresAreAllMinusInfinityIsNaN() {
    AttentionCall call = call(6, true);
    for (int key = 0; key < SHAPE.keyTokens(); key++) {
      for (int dim = 0; dim < SHAPE.headDim(); dim++) {
        call.keys()
            .type()
            .store(
                call.keys().memory(),
                call.keys().head(0).rowOffset(key) + dim,
                Float.NEGATIVE_INFINITY);
      }
    }
    for (int dim = 0; dim < SHAPE.headDim(); dim++) {
      call.queries().type().store(call.queries().memory(), dim, 1);
    }
    requireSameKinds(call, attendBoth(call));
    assertThat(call.out().head(0).get(0, 0)).isNaN();
    assertThat(ElementType.FLOAT32.load(call.logSumExp(), 0)).isNaN();
  }

  private static AttentionCall call(int seed, boolean dense) {
    AttentionCases cases = new AttentionCases(seed);
    List<BlockIndex> indices =
        dense ? AttentionCases.dense(SHAPE) : cases.indices(SHAPE, BlockShape.DEFAULT);
    return cases.call(SHAPE, ElementType.FLOAT32, indices);
  }

  private static void set(HeadTensor tensor, int token, float value) {
    ElementType.FLOAT32.store(tensor.memory(), tensor.head(0).rowOffset(token) + 5, value);
  }

  /** Runs the vector backend on {@code call}; returns the reference's results. */
  private static AttentionCall attendBoth(AttentionCall call) {
    AttentionCall expected = AttentionCases.again(call, ElementType.FLOAT32, call.indices());
    try (AttentionBackend reference = new ReferenceProvider().open(1);
        AttentionBackend vector = new VectorProvider().open(2)) {
      reference.attend(expected);
      vector.attend(call);
    }
    return expected;
  }

  /** NaN where NaN is due, infinity where infinity is due, and else the value. */
  private static void requireSameKinds(AttentionCall actual, AttentionCall expected) {
    requireSame(actual.out(), expected.out());
    requireSame(PlainAttention.sums(actual), PlainAttention.sums(expected));
  }

  private static void requireSame(HeadTensor actual, HeadTensor expected) {
    for (long i = 0; i < PlainAttention.elements(expected); i++) {
      float due = PlainAttention.load(expected, i);
      float is = PlainAttention.load(actual, i);
      if (Float.isFinite(due)) {
        // A slip is of the order of 1; float32 sums of 32 products of normal numbers err by 1e-6.
        assertThat(Math.abs(is - due)).as("element %d", i).isLessThan(1e-4f);
      } else {
        assertThat(is).as("element %d", i).isEqualTo(Float.valueOf(due));
      }
    }
  }

  private static int rowsThatAreNotFinite(AttentionCall call) {
    int rows = 0;
    HeadTensor sums = PlainAttention.sums(call);
    for (long i = 0; i < PlainAttention.elements(sums); i++) {
      rows += Float.isFinite(PlainAttention.load(sums, i)) ? 0 : 1;
    }
    return rows;
  }
}
