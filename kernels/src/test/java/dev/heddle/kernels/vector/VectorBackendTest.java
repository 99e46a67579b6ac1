package dev.heddle.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.AttentionCases;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class VectorBackendTest {
  @Test
  void equalsTheReference() {
    for (int seed = 0; seed < 40; seed++) {
      java.util.Random random = new java.util.Random(seed);
      int group = new int[] {1, 4, 8}[random.nextInt(3)];
      int keys = new int[] {1, 63, 64, 65, 113, 127, 300}[random.nextInt(7)];
      int queries = random.nextBoolean() ? keys : 1 + random.nextInt(keys);
      int dim = 32 + 8 * random.nextInt(10);
      AttentionShape shape = new AttentionShape(group * 2, 2, queries, keys, dim);
      AttentionCases cases = new AttentionCases(seed);
      var indices =
          random.nextBoolean()
              ? AttentionCases.dense(shape)
              : cases.indices(
                  shape, new BlockShape(1 + random.nextInt(300), 1 + random.nextInt(100)));
      AttentionCall call = cases.call(shape, ElementType.FLOAT32, indices);
      AttentionCall expected =
          new AttentionCall(
              shape,
              call.queries(),
              call.keys(),
              call.values(),
              AttentionCases.zeros(ElementType.FLOAT32, group * 2, queries, dim),
              Arena.ofAuto().allocate(4L * group * 2 * queries),
              call.softmaxScale(),
              call.indices());
      new ReferenceProvider().open(1).attend(expected);
      try (AttentionBackend backend = new VectorProvider().open(2)) {
        backend.attend(call);
      }
      double worst = 0;
      for (long i = 0; i < (long) group * 2 * queries * dim; i++) {
        worst =
            Math.max(
                worst,
                Math.abs(
                    ElementType.FLOAT32.load(call.out().memory(), i)
                        - ElementType.FLOAT32.load(expected.out().memory(), i)));
      }
      for (long i = 0; i < (long) group * 2 * queries; i++) {
        worst =
            Math.max(
                worst,
                Math.abs(
                    ElementType.FLOAT32.load(call.logSumExp(), i)
                        - ElementType.FLOAT32.load(expected.logSumExp(), i)));
      }
      assertThat(worst).isLessThan(1e-5);
    }
  }
}
