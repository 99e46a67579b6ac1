package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.reflect.Method;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a plan's estimate says, against the most that its memory pool lent at once. */
class GpuMemoryTest extends GpuRuntimeTest {
  /** The driver lends in steps of this much; a plan takes some tens of pieces. */
  private static final long ROUNDING = 64 * 512;

  @Test
  void noPlanTakesMoreThanItsEstimate() throws ReflectiveOperationException {
    for (int tokens : new int[] {300, 4224, 20_000}) {
      AttentionShape shape = new AttentionShape(8, 2, tokens, tokens, 128);
      TestLayer layer =
          new TestTensors(tokens).rotaryLayer(shape, ElementType.BFLOAT16, Layout.CONTIGUOUS);
      assertEnough("dense", Map.of(), layer);
      assertEnough("a-shape", Map.of("sink", 64, "local", 128), layer);
      assertEnough("block-sparse", Map.of("blocks", 3), layer);
      assertEnough("vertical-slash", Map.of("verticals", 100, "slashes", 200), layer);
      assertEnough("vertical-slash", Map.of("verticals", 30, "slashes", 5, "local", 2), layer);
      assertEnough("random-rows", Map.of(), layer);
    }
  }

  private void assertEnough(String name, Map<String, ?> given, TestLayer layer)
      throws ReflectiveOperationException {
    SparsePattern pattern =
        name.equals("random-rows") ? new RandomRowsPattern() : registry.get(name);
    Options options = Options.of(pattern.options(), given);
    HeadWork ofHead =
        pattern
            .gpu()
            .<HeadWork>map(kernels -> new HeadWork.OnDevice(kernels, options))
            .orElseGet(() ->
                new HeadWork.Indexed(
                    List.of(pattern.index(layer.head(0, BlockShape.DEFAULT), options))));
    List<HeadWork> work = Collections.nCopies(layer.shape().queryHeads(), ofHead);
    AttentionCall call =
        layer.call(
            Collections.nCopies(
                layer.shape().queryHeads(),
                dev.heddle.api.BlockIndex.dense(layer.shape(), BlockShape.DEFAULT)),
            Layout.CONTIGUOUS.allocate(
                ElementType.BFLOAT16,
                layer.shape().queryHeads(),
                layer.shape().queryTokens(),
                layer.shape().headDim()));
    Object pool = ask(cuda, "pool");
    ask(pool, "forgetMost");
    gpu.attend(call, BlockShape.DEFAULT, work);
    long taken = (long) ask(pool, "mostUsedBytes");
    long tensors =
        2L
            * layer.shape().headDim()
            * 2
            * ((long) layer.shape().queryHeads() * layer.shape().queryTokens()
                + (long) layer.shape().keyValueHeads() * layer.shape().keyTokens());
    long estimate = tensors + planBytes(layer, work);
    String what = "%s %s, %d tokens".formatted(name, given, layer.shape().keyTokens());
    assertThat(taken).as(what).isBetween(tensors, estimate + ROUNDING);
    System.out.printf("%s: %,d KiB taken, %,d KiB estimated%n", what, taken >> 10, estimate >> 10);
    assertThat((long) ask(pool, "liveAllocations")).as(what).isZero();
  }

  /** The estimate is the backend's own affair; run.sh opens its package to tests. */
  private long planBytes(TestLayer layer, List<HeadWork> work) throws ReflectiveOperationException {
    AttentionShape shape = layer.shape();
    GpuTensor q = tensor(shape.queryHeads(), shape.queryTokens(), shape.headDim());
    GpuTensor k = tensor(shape.keyValueHeads(), shape.keyTokens(), shape.headDim());
    GpuSequence all = GpuSequence.whole(shape.queryTokens(), shape.keyTokens());
    GpuLayer onDevice =
        new GpuLayer(q, k, k, q, 0, layer.softmaxScale(), BlockShape.DEFAULT, List.of(all));
    Class<?> plans =
        cuda.getClass().getClassLoader().loadClass(cuda.getClass().getPackageName() + ".LayerPlan");
    Method of = plans.getDeclaredMethod("of", GpuLayer.class, List.class);
    of.setAccessible(true);
    return (long) ask(of.invoke(null, onDevice, work), "bytes");
  }

  private static GpuTensor tensor(int heads, int tokens, int headDim) {
    return GpuTensor.contiguous(256, ElementType.BFLOAT16, heads, tokens, headDim);
  }

  private static Object ask(Object target, String name) throws ReflectiveOperationException {
    Method method = target.getClass().getDeclaredMethod(name);
    method.setAccessible(true);
    Object answer = method.invoke(target);
    return answer == null ? "" : answer;
  }
}
