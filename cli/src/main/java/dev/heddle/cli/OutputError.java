package dev.heddle.cli;

import dev.heddle.api.HeadMatrix;
import dev.heddle.api.HeadTensor;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/** How far an output is from dense attention's. */
final class OutputError {
  private OutputError() {}

  /**
   * {@code sqrt(Σ (actual - dense)² / Σ dense²)} over all numbers.
   *
   * @param actual of the sizes of {@code dense}
   */
  static double relative(HeadTensor actual, HeadTensor dense) {
    Sums all =
        IntStream.range(0, dense.heads())
            .parallel()
            .mapToObj(head -> Sums.of(actual.head(head), dense.head(head)))
            .reduce(new Sums(0, 0), Sums::plus);
    return Math.sqrt(all.difference() / all.size());
  }

  /** The same for one head. */
  static double relative(HeadMatrix actual, HeadMatrix dense) {
    Sums all = Sums.of(actual, dense);
    return Math.sqrt(all.difference() / all.size());
  }

  /** A copy that stays when the tensor is written again. */
  static HeadTensor copy(HeadTensor tensor, Arena arena) {
    HeadTensor copy =
        StructuredLayer.allocate(
            arena, tensor.type(), tensor.heads(), tensor.tokens(), tensor.headDim());
    copy.memory().copyFrom(tensor.memory().asSlice(0, copy.memory().byteSize()));
    return copy;
  }

  /** Sums of squares. */
  private record Sums(double difference, double size) {
    static Sums of(HeadMatrix actual, HeadMatrix dense) {
      float[] a = new float[dense.headDim()];
      float[] d = new float[dense.headDim()];
      double difference = 0;
      double size = 0;
      for (int token = 0; token < dense.tokens(); token++) {
        actual.copyRows(token, 1, a, 0);
        dense.copyRows(token, 1, d, 0);
        for (int dim = 0; dim < d.length; dim++) {
          difference += Math.pow((double) a[dim] - d[dim], 2);
          size += (double) d[dim] * d[dim];
        }
      }
      return new Sums(difference, size);
    }

    Sums plus(Sums other) {
      return new Sums(difference + other.difference, size + other.size);
    }
  }
}
