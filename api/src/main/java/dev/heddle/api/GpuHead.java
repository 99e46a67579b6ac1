package dev.heddle.api;

/**
 * One head that a pattern computes.
 *
 * @param queryHead the head's place in Q and the output, from 0
 * @param options the head's own values for the pattern's options, checked and complete
 */
public record GpuHead(int queryHead, Options options) {}
