/**
 * Benchmarks of what Heddle's speed rests on: attention, the building of indices, matrix products;
 * and libtorch's attention at the same sizes, where it was built in. {@code bench/run} builds and
 * runs them.
 *
 * <p>Rates count the work that is asked for: two operations per multiply-add of the causal cells,
 * {@code 4 · headDim} per cell, masked cells and softmax not counted.
 */
@NullMarked
package dev.heddle.bench;

import org.jspecify.annotations.NullMarked;
