package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A NaN or infinity reaches the rows that read it, and no index but its own head's. */
class GpuNotFiniteTest extends GpuRuntimeTest {
  private static final AttentionShape SHAPE = new AttentionShape(4, 2, 400, 600, 64);

  /** Where the bad numbers are: query 77 has position 277. */
  private static final int BAD_KEY = 250;

  private static final int BAD_QUERY = 77;

  /** No normal number of so few is larger. */
  private static final double GREATEST_VALUE = 6;

  private static final Map<String, Map<String, Integer>> OPTIONS =
      Map.of(
          "a-shape",
          Map.of("sink", 2, "local", 90),
          "vertical-slash",
          Map.of("verticals", 20, "slashes", 40, "sink", 2, "local", 10),
          "block-sparse",
          Map.of("blocks", 3));

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void badNumbersStayInTheRowsThatReadThem(ElementType type) {
    OPTIONS.forEach((name, given) -> {
      SparsePattern pattern = registry.get(name);
      Options options = Options.of(pattern.options(), given);
      HeadWork ofHead = new HeadWork.OnDevice(pattern.gpu().orElseThrow(), options);
      for (String tensor : List.of("q", "k", "v")) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
          assertStays("%s %s %s in %s".formatted(name, type, bad, tensor), ofHead, tensor, bad);
        }
      }
    });
  }

  private void assertStays(String name, HeadWork ofHead, String tensor, float bad) {
    ElementType type = ElementType.valueOf(name.split(" ", -1)[1]);
    List<HeadWork> work = Collections.nCopies(4, ofHead);
    TestLayer layer = new TestTensors(9).rotaryLayer(SHAPE, type, Layout.CONTIGUOUS);
    AttentionCall clean = run(layer, work);
    switch (tensor) {
      case "q" -> store(layer.queries(), BAD_QUERY, bad);
      case "k" -> store(layer.keys(), BAD_KEY, bad);
      default -> store(layer.values(), BAD_KEY, bad);
    }
    AttentionCall call = run(layer, work);
    // Heads of a group may be computed again beside each other, with weights that are not rounded.
    float rounding = (float) (4 * type.unitRoundoff() * GREATEST_VALUE);
    for (int head = 0; head < 4; head++) {
      boolean spoilt = tensor.equals("q") ? head == 0 : head < 2;
      HeadMatrix out = call.out().head(head);
      for (int query = 0; query < SHAPE.queryTokens(); query++) {
        boolean reads = spoilt && reads(call, head, query, tensor);
        for (int dim = 0; dim < 64; dim++) {
          float number = out.get(query, dim);
          if (!spoilt) {
            assertThat(number)
                .as("%s, head %d, query %d", name, head, query)
                .isCloseTo(clean.out().head(head).get(query, dim), within(rounding));
          } else if (!reads) {
            assertThat(Float.isFinite(number))
                .as("%s, head %d, query %d does not read it: %s", name, head, query, number)
                .isTrue();
          } else if (Float.isNaN(bad) && (dim == 5 || !tensor.equals("v"))) {
            assertThat(number).as("%s, head %d, query %d reads it", name, head, query).isNaN();
          }
        }
      }
    }
  }

  private static boolean reads(AttentionCall call, int head, int query, String tensor) {
    return tensor.equals("q")
        ? query == BAD_QUERY
        : call.indices().get(head).attends(query, BAD_KEY);
  }

  /** Head 0 of the tensor; dim 5 of the row. */
  private static void store(HeadTensor tensor, int token, float bad) {
    tensor.type().store(tensor.memory(), tensor.head(0).rowOffset(token) + 5, bad);
  }

  /** The call as computed, with the device's own indices. */
  private AttentionCall run(TestLayer layer, List<HeadWork> work) {
    List<BlockIndex> dense =
        Collections.nCopies(4, BlockIndex.dense(layer.shape(), BlockShape.DEFAULT));
    HeadTensor out = Layout.CONTIGUOUS.allocate(layer.queries().type(), 4, 400, 64);
    AttentionCall call = layer.call(dense, out);
    gpu.attend(call, BlockShape.DEFAULT, work);
    HeadWork.OnDevice first = (HeadWork.OnDevice) work.getFirst();
    if (first.kernels().source().name().equals("a_shape")) {
      SparsePattern pattern = registry.get("a-shape");
      return layer.call(
          Collections.nCopies(4, pattern.index(layer.head(0, BlockShape.DEFAULT), first.options())),
          out);
    }
    return layer.call(gpu.indices(call, BlockShape.DEFAULT, work), out);
  }
}
