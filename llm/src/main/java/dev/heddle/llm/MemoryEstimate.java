package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.Locale;

/**
 * The memory that reading a prompt takes where the model computes, beside the weights.
 *
 * @param cacheBytes keys and values of all tokens
 * @param activationBytes what the pass over the prompt needs until it ends
 */
public record MemoryEstimate(long cacheBytes, long activationBytes) {
  private static final double GIBIBYTE = 1 << 30;

  /** All of it. */
  public long bytes() {
    return cacheBytes + activationBytes;
  }

  /** The same with more to compute with. */
  MemoryEstimate plus(long moreActivationBytes) {
    return new MemoryEstimate(cacheBytes, activationBytes + moreActivationBytes);
  }

  /** The same with another cache. */
  MemoryEstimate withCache(long otherCacheBytes) {
    return new MemoryEstimate(otherCacheBytes, activationBytes);
  }

  /**
   * Refuses what does not fit.
   *
   * @param what what needs the memory: {@code "a prompt of 9 tokens"}
   * @param availableBytes memory that may be used
   * @throws InvalidInputException naming the need and the limit
   */
  void requireWithin(String what, long availableBytes) {
    if (bytes() > availableBytes) {
      throw new InvalidInputException(refusal(what, availableBytes));
    }
  }

  /** Says that this does not fit. */
  String refusal(String what, long availableBytes) {
    return String.format(
        Locale.ROOT,
        "%s needs %.2f GiB of memory (%.2f for keys and values, %.2f to compute), but %.2f GiB"
            + " may be used; allowed: a shorter text, or more memory",
        what,
        bytes() / GIBIBYTE,
        cacheBytes / GIBIBYTE,
        activationBytes / GIBIBYTE,
        availableBytes / GIBIBYTE);
  }
}
