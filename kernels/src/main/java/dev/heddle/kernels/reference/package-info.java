/**
 * The oracle: attention as its formula says it, in float64, one query at a time. Too simple to be
 * wrong, and slow.
 */
@NullMarked
package dev.heddle.kernels.reference;

import org.jspecify.annotations.NullMarked;
