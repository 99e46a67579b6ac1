package dev.heddle.cli;

import dev.heddle.llm.MemoryEstimate;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What a prompt and its answer would need. */
record MemoryPlan(int promptTokens, int newTokens, MemoryEstimate needed, long availableBytes)
    implements Result {
  private static final double GIBIBYTE = 1 << 30;

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
            "%,d tokens and %,d new ones need %.2f GiB beside the weights: %.2f for keys and values,"
                + " %.2f to compute; %.2f GiB are free: %s%n",
            promptTokens,
            newTokens,
            needed.bytes() / GIBIBYTE,
            needed.cacheBytes() / GIBIBYTE,
            needed.activationBytes() / GIBIBYTE,
            availableBytes / GIBIBYTE,
            fits() ? "it fits" : "it does not fit");
  }
}
