package dev.heddle.cli;

import dev.heddle.llm.MemoryEstimate;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a prompt and its answer would need.
 *
 * @param chunkTokens tokens of the prompt that are read at once
 */
record MemoryPlan(
    int promptTokens, int newTokens, int chunkTokens, MemoryEstimate needed, long availableBytes)
    implements Result {
  /** The plan of a prompt that is read in one pass. */
  static MemoryPlan of(
      int promptTokens, int newTokens, MemoryEstimate needed, long availableBytes) {
    return new MemoryPlan(promptTokens, newTokens, promptTokens, needed, availableBytes);
  }

  /** The same where {@code needed} is that of chunks. */
  MemoryPlan inChunksOf(int tokens) {
    return new MemoryPlan(
        promptTokens, newTokens, Math.min(tokens, promptTokens), needed, availableBytes);
  }

  boolean fits() {
    return needed.bytes() <= availableBytes;
  }

  @Override
  public boolean succeeded() {
    return fits();
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("promptTokens", promptTokens);
    object.put("newTokens", newTokens);
    object.put("chunkTokens", chunkTokens);
    object.put("keyValueBytes", needed.cacheBytes());
    object.put("computeBytes", needed.activationBytes());
    object.put("freeBytes", availableBytes);
    object.put("fits", fits());
    return object;
  }

  @Override
  public void print(Console console) {
    console
        .out()
        .printf(
            Locale.ROOT,
            "%,d tokens%s and %,d new ones need %.2f GiB beside the weights: %.2f for keys and values,"
                + " %.2f to compute; %.2f GiB are free: %s%n",
            promptTokens,
            ChunkOption.shown(chunkTokens, promptTokens),
            newTokens,
            Shown.gibibytes(needed.bytes()),
            Shown.gibibytes(needed.cacheBytes()),
            Shown.gibibytes(needed.activationBytes()),
            Shown.gibibytes(availableBytes),
            fits() ? "it fits" : "it does not fit");
  }
}
