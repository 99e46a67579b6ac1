/** Pattern discovery, heads files, plans, and the {@code SparseAttention} façade. */
@NullMarked
package dev.heddle.runtime;

import org.jspecify.annotations.NullMarked;
