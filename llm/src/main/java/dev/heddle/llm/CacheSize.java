package dev.heddle.llm;

/**
 * What a cache takes.
 *
 * @param bytes of the memory where the model computes
 * @param hostBytes of the machine's memory, where that is another one
 */
record CacheSize(long bytes, long hostBytes) {}
