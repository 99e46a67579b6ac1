package dev.heddle.runtime;

import dev.heddle.api.ElementType;
import dev.heddle.runtime.PlanCheck.Computed;
import dev.heddle.testkit.Layout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Batches in a caller's device memory, on the caller's stream. */
class GpuDeviceMemoryTest extends GpuRuntimeTest {
  private static final int LAYERS = 12;
  private static final List<int[]> LENGTHS =
      List.of(
          new int[] {1, 1},
          new int[] {200, 513},
          new int[] {129, 129},
          new int[] {1, 700},
          new int[] {1023, 1023},
          new int[] {65, 2100});

  /** Patterns with and without a GPU half beside each other in one layer. */
  @ParameterizedTest
  @EnumSource(ElementType.class)
  void packedBatchesWithEveryPattern(ElementType type) {
    Random random = new Random(5);
    for (int headDim : new int[] {128, 64, 40}) {
      ModelShape model = new ModelShape(LAYERS, 8, 2, headDim);
      try (CallerDevice device = new CallerDevice(256 << 20);
          SparseAttention attention = RandomAttention.create(model, "cuda", random)) {
        for (int layer = 0; layer < LAYERS; layer++) {
          Layout layout = layer % 2 == 0 ? Layout.CONTIGUOUS : Layout.INTERLEAVED;
          PackedBatch batch =
              PackedBatch.random(
                  model, layer % 3 == 0 ? LENGTHS.subList(2, 3) : LENGTHS, type, layout, random);
          batch.run(attention, layer, device);
          String name = "%s, head dim %d, layer %d".formatted(type, headDim, layer);
          assertRight(name, layer, attention, batch);
        }
      }
    }
  }

  private void assertRight(String name, int layer, SparseAttention attention, PackedBatch batch) {
    PlanCheck check = new PlanCheck(attention.plan(), gpu, 12);
    for (int sequence = 0; sequence < batch.sequences().size(); sequence++) {
      check.assertRight(
          name + ", sequence " + sequence,
          layer,
          new Computed(batch.layer(sequence), batch.out(sequence), batch.logSumExp(sequence)),
          sequence);
    }
    batch.assertGapsUntouched(name);
  }
}
