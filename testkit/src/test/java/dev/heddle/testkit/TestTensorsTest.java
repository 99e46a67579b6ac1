package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.TopScores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestTensorsTest {
  private static final AttentionShape SHAPE = new AttentionShape(4, 2, 70, 113, 20);

  @ParameterizedTest
  @EnumSource
  void numbersDependOnTheSeedAndNotOnTheLayout(Layout layout) {
    TestLayer expected =
        new TestTensors(1).rotaryLayer(SHAPE, ElementType.BFLOAT16, Layout.CONTIGUOUS);
    TestLayer same = new TestTensors(1).rotaryLayer(SHAPE, ElementType.BFLOAT16, layout);
    TestLayer other = new TestTensors(2).rotaryLayer(SHAPE, ElementType.BFLOAT16, layout);
    assertThat(numbers(same.queries())).isEqualTo(numbers(expected.queries()));
    assertThat(numbers(same.keys())).isEqualTo(numbers(expected.keys()));
    assertThat(numbers(same.values())).isEqualTo(numbers(expected.values()));
    assertThat(numbers(other.keys())).isNotEqualTo(numbers(expected.keys()));
  }

  @ParameterizedTest
  @EnumSource
  void everyHeadHasItsOwnMemory(Layout layout) {
    HeadTensor tensor = layout.allocate(ElementType.FLOAT32, 3, 5, 7);
    float[] row = new float[7];
    int number = 0;
    for (int head = 0; head < 3; head++) {
      for (int token = 0; token < 5; token++) {
        for (int dim = 0; dim < 7; dim++) {
          row[dim] = number++;
        }
        TestTensors.storeRow(tensor, head, token, row);
      }
    }
    float[] numbers = numbers(tensor);
    for (int i = 0; i < number; i++) {
      assertThat(numbers[i]).isEqualTo(i);
    }
  }

  @Test
  void gapsHoldNaN() {
    HeadTensor tensor = Layout.STRIDED.allocate(ElementType.FLOAT16, 2, 3, 4);
    TestTensors.storeRow(tensor, 0, 0, new float[4]);
    assertThat(tensor.type().load(tensor.memory(), 3)).isZero();
    assertThat(tensor.type().load(tensor.memory(), 4)).isNaN();
  }

  /** Over all later queries, the heavy keys and the planted offsets score highest on average. */
  @Test
  void rotaryLayersHaveVerticalAndSlashLines() {
    AttentionShape shape = new AttentionShape(1, 1, 700, 700, 32);
    HeadInputs head =
        new TestTensors(3)
            .rotaryLayer(shape, ElementType.FLOAT32, Layout.CONTIGUOUS)
            .head(0, BlockShape.DEFAULT);
    float[] byColumn = new float[200];
    float[] byOffset = new float[200];
    for (int query = 400; query < 700; query++) {
      for (int i = 0; i < 200; i++) {
        byColumn[i] += score(head, query, i) / 300;
        byOffset[i] += score(head, query, query - i) / 300;
      }
    }
    assertThat(TopScores.select(byColumn, 200, 3)).containsExactly(0, 97, 194);
    for (int offset : new int[] {0, 17, 150}) {
      assertThat(byOffset[offset])
          .as("offset %d", offset)
          .isGreaterThan(Math.max(byOffset[Math.abs(offset - 3)], byOffset[offset + 3]));
    }
  }

  private static float score(HeadInputs head, int query, int key) {
    float score = 0;
    for (int dim = 0; dim < head.shape().headDim(); dim++) {
      score += head.softmaxScale() * head.queries().get(query, dim) * head.keys().get(key, dim);
    }
    return score;
  }

  private static float[] numbers(HeadTensor tensor) {
    int rowsPerHead = tensor.tokens() * tensor.headDim();
    float[] numbers = new float[tensor.heads() * rowsPerHead];
    for (int head = 0; head < tensor.heads(); head++) {
      tensor.head(head).copyRows(0, tensor.tokens(), numbers, head * rowsPerHead);
    }
    return numbers;
  }
}
