package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.runtime.PlanCheck.Computed;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Thousands of random plans from several threads: no wrong result, and no device memory that stays
 * taken. {@code -Dheddle.soak.plans} says how many; a failure names its plan's seed.
 */
class GpuSoakTest extends GpuRuntimeTest {
  private static final int PLANS = Integer.getInteger("heddle.soak.plans", 10_000);
  private static final int THREADS = Math.max(2, Runtime.getRuntime().availableProcessors() - 2);
  private static final int FACADES = 16;
  private static final int LAYERS = 16;
  private static final int MOST_TOKENS = 330;
  private static final int ROWS = 4;

  @Test
  void manyRandomPlans() throws Exception {
    try (CallerDevice watching = new CallerDevice(1)) {
      runPlans(0, PLANS);
      // What the driver keeps for kernels and shapes that are new to it is there now: what plans
      // take away that have all run before is lost.
      runPlans(0, PLANS / 2);
      long before = watching.freeBytes();
      runPlans(0, PLANS / 2);
      assertThat(watching.freeBytes())
          .as(
              "free device memory after %,d plans that had run before; before these %,d",
              PLANS / 2, before)
          .isGreaterThanOrEqualTo(before);
    }
  }

  private void runPlans(int first, int end) throws Exception {
    List<SparseAttention> facades =
        IntStream.range(0, FACADES)
            .mapToObj(i -> RandomAttention.create(LAYERS, new Random(i)))
            .toList();
    AtomicInteger next = new AtomicInteger(first);
    try (AttentionBackend reading = Backends.standard().open("cuda", 1);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      GpuAttention indices = reading.gpu().orElseThrow();
      List<Callable<Boolean>> workers = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        workers.add(() -> work(next, end, facades, indices));
      }
      for (Future<Boolean> done : threads.invokeAll(workers)) {
        done.get();
      }
    } finally {
      facades.forEach(SparseAttention::close);
    }
  }

  private boolean work(
      AtomicInteger next, int end, List<SparseAttention> facades, GpuAttention indices) {
    try (CallerDevice device = new CallerDevice(64 << 20)) {
      for (int plan = next.getAndIncrement(); plan < end; plan = next.getAndIncrement()) {
        Random random = new Random(plan);
        SparseAttention attention = facades.get(random.nextInt(FACADES));
        int layer = random.nextInt(LAYERS);
        try {
          PlanCheck check = new PlanCheck(attention.plan(), indices, ROWS);
          if (random.nextBoolean()) {
            onHostMemory(new Plan(plan, layer, attention, random), check);
          } else {
            onDeviceMemory(new Plan(plan, layer, attention, random), check, device);
          }
        } catch (RuntimeException failure) {
          throw new AssertionError("plan " + plan, failure);
        }
      }
    } finally {
      next.set(end); // the others need not go on after a failure
    }
    return true;
  }

  /** One plan. */
  private record Plan(int number, int layer, SparseAttention attention, Random random) {}

  private static void onHostMemory(Plan plan, PlanCheck check) {
    Random random = plan.random();
    SparseAttention attention = plan.attention();
    ModelShape model = attention.plan().shape();
    ElementType type = type(random);
    Layout layout = List.of(Layout.values()).get(random.nextInt(3));
    int[] length = length(random);
    AttentionShape shape =
        new AttentionShape(
            model.queryHeads(), model.keyValueHeads(), length[0], length[1], model.headDim());
    TestTensors tensors = new TestTensors(plan.number());
    TestLayer inputs =
        random.nextInt(3) == 0
            ? tensors.rotaryLayer(shape, type, layout)
            : tensors.gaussianLayer(shape, type, layout);
    HeadTensor out = layout.allocate(type, model.queryHeads(), length[0], model.headDim());
    MemorySegment logSumExp =
        random.nextBoolean()
            ? Arena.ofAuto().allocate(4L * model.queryHeads() * length[0], 4)
            : MemorySegment.NULL;
    Prefill prefill = Prefill.of(inputs.queries(), inputs.keys(), inputs.values(), out);
    attention.prefill(
        plan.layer(),
        logSumExp.equals(MemorySegment.NULL) ? prefill : prefill.withLogSumExp(logSumExp));
    check.assertRight(
        "plan " + plan.number(), plan.layer(), new Computed(inputs, out, logSumExp), plan.number());
  }

  private static void onDeviceMemory(Plan plan, PlanCheck check, CallerDevice device) {
    Random random = plan.random();
    List<int[]> lengths =
        IntStream.range(0, 1 + random.nextInt(3)).mapToObj(i -> length(random)).toList();
    Layout layout = random.nextBoolean() ? Layout.CONTIGUOUS : Layout.INTERLEAVED;
    PackedBatch batch =
        PackedBatch.random(plan.attention().plan().shape(), lengths, type(random), layout, random);
    batch.run(plan.attention(), plan.layer(), device);
    for (int sequence = 0; sequence < lengths.size(); sequence++) {
      check.assertRight(
          "plan %d, sequence %d".formatted(plan.number(), sequence),
          plan.layer(),
          new Computed(batch.layer(sequence), batch.out(sequence), batch.logSumExp(sequence)),
          plan.number());
    }
    batch.assertGapsUntouched("plan " + plan.number());
  }

  private static ElementType type(Random random) {
    return List.of(ElementType.values()).get(random.nextInt(3));
  }

  /** Queries and keys, short ones more often. */
  private static int[] length(Random random) {
    int keys = 1 + random.nextInt(1 + random.nextInt(MOST_TOKENS));
    return new int[] {random.nextBoolean() ? keys : 1 + random.nextInt(keys), keys};
  }
}
