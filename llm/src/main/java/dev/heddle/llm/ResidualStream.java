package dev.heddle.llm;

/** The running sum of a pass: what each part of a layer reads, normalised, and adds to. */
final class ResidualStream {
  private final RowThreads threads;

  ResidualStream(RowThreads threads) {
    this.threads = threads;
  }

  /** Writes the norms of {@code count} rows of {@code hidden} to {@code normalised}. */
  void normalise(RmsNorm norm, Activations memory, int first, int count) {
    threads.forRows(
        count,
        (begin, end) -> {
          float[] row = new float[memory.hidden().width()];
          for (int token = begin; token < end; token++) {
            memory.hidden().load(first + token, row);
            norm.apply(row, 0);
            memory.normalised().store(token, row);
          }
        });
  }

  /** Adds the chunk {@code projected}, and the bias of its projection, to {@code hidden}. */
  void add(Projection projection, Activations memory, int first, int count) {
    threads.forRows(
        count,
        (begin, end) -> {
          float[] sum = new float[memory.hidden().width()];
          float[] added = new float[sum.length];
          for (int token = begin; token < end; token++) {
            memory.hidden().load(first + token, sum);
            memory.projected().load(token, added);
            projection.addBias(added);
            for (int i = 0; i < sum.length; i++) {
              sum[i] += added[i];
            }
            memory.hidden().store(first + token, sum);
          }
        });
  }
}
