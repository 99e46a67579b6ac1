package dev.heddle.llm;

/**
 * A norm whose weight is in device memory.
 *
 * @param weight device address of float32 {@code [width]}; 0 for no norm at all
 * @param epsilon added to the mean square before its root
 */
record DeviceNorm(long weight, float epsilon) {}
