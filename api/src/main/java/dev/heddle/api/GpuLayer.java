package dev.heddle.api;

import java.util.List;

/**
 * One layer's tensors in device memory, over a batch of sequences. The memory stays its owner's.
 *
 * @param queries Q, {@code [queryHeads][queries of all sequences][headDim]}
 * @param keys K, {@code [keyValueHeads][keys of all sequences][headDim]}
 * @param values V, of the sizes of K
 * @param out receives the output, of the sizes of Q
 * @param logSumExp device address that receives float32 {@code [queryHeads][queries of all
 *     sequences]}; 0 when not wanted
 * @param softmaxScale factor on every score before the softmax
 * @param blocks the tile that indices are built in
 * @param sequences the sequences of the batch, at least one
 */
public record GpuLayer(
    GpuTensor queries,
    GpuTensor keys,
    GpuTensor values,
    GpuTensor out,
    long logSumExp,
    float softmaxScale,
    BlockShape blocks,
    List<GpuSequence> sequences) {
  /**
   * Checks that tensors and sequences belong together.
   *
   * @throws InvalidInputException naming what does not fit
   */
  public GpuLayer {
    sequences = List.copyOf(sequences);
    requireLike("values", values, keys);
    requireLike("out", out, queries);
    if (keys.type() != queries.type() || keys.headDim() != queries.headDim()) {
      throw new InvalidInputException(
          "keys are %s of head dim %d, but queries are %s of %d"
              .formatted(keys.type(), keys.headDim(), queries.type(), queries.headDim()));
    }
    if (queries.heads() % keys.heads() != 0) {
      throw new InvalidInputException(
          "%d key/value heads do not divide %d query heads"
              .formatted(keys.heads(), queries.heads()));
    }
    if (sequences.isEmpty()) {
      throw new InvalidInputException("a batch needs at least one sequence");
    }
    for (GpuSequence sequence : sequences) {
      requireRows(sequence, queries.tokens(), keys.tokens());
    }
  }

  /** Query heads that share one key/value head. */
  public int groupSize() {
    return queries.heads() / keys.heads();
  }

  /** The sizes of sequence {@code sequence} of the batch. */
  public AttentionShape shape(int sequence) {
    return new AttentionShape(
        queries.heads(),
        keys.heads(),
        sequences.get(sequence).queryTokens(),
        sequences.get(sequence).keyTokens(),
        queries.headDim());
  }

  /** The most query blocks that a sequence of the batch has. */
  public int mostQueryBlocks() {
    return blocks.queryBlocks(
        sequences.stream().mapToInt(GpuSequence::queryTokens).max().orElseThrow());
  }

  /** The most keys that a sequence of the batch has. */
  public int mostKeyTokens() {
    return sequences.stream().mapToInt(GpuSequence::keyTokens).max().orElseThrow();
  }

  private static void requireLike(String name, GpuTensor tensor, GpuTensor model) {
    if (tensor.type() != model.type()
        || tensor.heads() != model.heads()
        || tensor.tokens() != model.tokens()
        || tensor.headDim() != model.headDim()) {
      throw new InvalidInputException(
          "%s are %s %d x %d x %d; allowed: %s %d x %d x %d"
              .formatted(
                  name,
                  tensor.type(),
                  tensor.heads(),
                  tensor.tokens(),
                  tensor.headDim(),
                  model.type(),
                  model.heads(),
                  model.tokens(),
                  model.headDim()));
    }
  }

  private static void requireRows(GpuSequence sequence, int queries, int keys) {
    if (sequence.firstQuery() + (long) sequence.queryTokens() > queries
        || sequence.firstKey() + (long) sequence.keyTokens() > keys) {
      throw new InvalidInputException(
          "%s does not lie in the %d rows of Q and the %d rows of K"
              .formatted(sequence, queries, keys));
    }
  }
}
