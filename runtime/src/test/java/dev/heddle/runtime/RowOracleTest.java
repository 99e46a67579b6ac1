package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Backends;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The oracle of the GPU's tests agrees with the reference backend and notices what is wrong. */
class RowOracleTest {
  private static final AttentionShape SHAPE = new AttentionShape(4, 2, 130, 200, 40);

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void rightIsRightAndWrongIsNoticed(ElementType type) {
    TestLayer layer = new TestTensors(3).rotaryLayer(SHAPE, type, Layout.STRIDED);
    List<BlockIndex> indices = IntStream.range(0, 4).mapToObj(head -> index(layer, head)).toList();
    MemorySegment logSumExp = Arena.ofAuto().allocate(4L * 4 * 130, 4);
    AttentionCall call =
        new AttentionCall(
            SHAPE,
            layer.queries(),
            layer.keys(),
            layer.values(),
            Layout.INTERLEAVED.allocate(type, 4, 130, 40),
            logSumExp,
            layer.softmaxScale(),
            indices);
    try (AttentionBackend reference = Backends.standard().open("reference", 1)) {
      reference.attend(call);
    }
    SampledRows rows = new SampledRows(call, indices, 130);
    rows.assertRight("the reference", 1);
    RowOracle.Row row = new RowOracle(call).row(3, 77, indices.get(3));
    assertThat(row.logSumExp())
        .isCloseTo(ElementType.FLOAT32.load(logSumExp, 3 * 130 + 77), Offset.offset(1e-5));

    long place = call.out().head(2).rowOffset(99) + 7;
    float right = type.load(call.out().memory(), place);
    type.store(call.out().memory(), place, right + 0.05f);
    assertThatThrownBy(() -> rows.assertRight("a wrong number", 1))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("output error of a wrong number");
    type.store(call.out().memory(), place, Float.NaN);
    assertThatThrownBy(() -> rows.assertRight("a lost number", 1))
        .isInstanceOf(AssertionError.class);
    type.store(call.out().memory(), place, right);
    ElementType.FLOAT32.store(logSumExp, 5, 0);
    assertThatThrownBy(() -> rows.assertRight("a wrong sum", 1))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("log-sum-exps of a wrong sum")
        .hasMessageContaining("head 0, query 5: 0.0 instead of");
  }

  private static BlockIndex index(TestLayer layer, int head) {
    HeadInputs inputs = layer.head(head, BlockShape.DEFAULT);
    RandomRowsPattern pattern = new RandomRowsPattern();
    return pattern.index(inputs, Options.defaults(pattern.options()));
  }
}
