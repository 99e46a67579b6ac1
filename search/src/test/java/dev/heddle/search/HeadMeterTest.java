package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Options;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadMeterTest {
  private static final int HEAD_DIM = 32;

  /** Both sums in float64, straight from their definitions. */
  @ParameterizedTest
  @CsvSource({"reference, 300, 64", "vector, 300, 64", "vector, 129, 129", "vector, 130, 500"})
  void errorAndRecallAreWhatTheyAreDefinedToBe(String backendName, int tokens, int tail) {
    try (RandomHead random = new RandomHead(tokens, HEAD_DIM);
        AttentionBackend backend = Backends.standard().open(backendName, 2);
        HeadMeter meter = new HeadMeter(backend, tokens, HEAD_DIM, tail)) {
      HeadInputs head = random.inputs();
      BlockIndex index = IndexBuilding.index(stripes(20), head);
      meter.dense(head);
      HeadMeter.Closeness closeness = meter.compare(head, index);

      Expected all = expected(head, index, 0, tokens);
      Expected last = expected(head, index, Math.max(0, tokens - tail), tokens);
      assertThat(closeness.error()).isCloseTo(all.error(), within(1e-5));
      assertThat(closeness.tailError()).isCloseTo(last.error(), within(1e-5));
      assertThat(closeness.recall()).isCloseTo(all.recall(), within(1e-5));
      assertThat(closeness.tailRecall()).isCloseTo(last.recall(), within(1e-5));
      assertThat(closeness.error()).isPositive();
    }
  }

  private static Candidate stripes(int count) {
    StripesPattern pattern = new StripesPattern();
    return new Candidate(
        pattern, Options.defaults(pattern.options()).with(StripesPattern.STRIPES, count));
  }

  private record Expected(double error, double recall) {}

  private static Expected expected(HeadInputs head, BlockIndex index, int first, int end) {
    double difference = 0;
    double size = 0;
    double recall = 0;
    for (int query = first; query < end; query++) {
      double[] dense = new double[HEAD_DIM];
      double[] sparse = new double[HEAD_DIM];
      double denseSum = 0;
      double sparseSum = 0;
      for (int key = 0; key <= query; key++) {
        double score = 0;
        for (int dim = 0; dim < HEAD_DIM; dim++) {
          score += (double) head.queries().get(query, dim) * head.keys().get(key, dim);
        }
        double weight = Math.exp(score * head.softmaxScale());
        boolean read = index.attends(query, key);
        denseSum += weight;
        sparseSum += read ? weight : 0;
        for (int dim = 0; dim < HEAD_DIM; dim++) {
          dense[dim] += weight * head.values().get(key, dim);
          sparse[dim] += read ? weight * head.values().get(key, dim) : 0;
        }
      }
      for (int dim = 0; dim < HEAD_DIM; dim++) {
        double delta = sparse[dim] / sparseSum - dense[dim] / denseSum;
        difference += delta * delta;
        size += dense[dim] * dense[dim] / (denseSum * denseSum);
      }
      recall += sparseSum / denseSum;
    }
    return new Expected(Math.sqrt(difference / size), recall / (end - first));
  }
}
