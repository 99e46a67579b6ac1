/**
 * The parts behind {@code SparseAttention}, and their wiring: the only package that knows Dagger,
 * whose generated classes are public and belong in no API.
 */
@NullMarked
package dev.heddle.runtime.engine;

import org.jspecify.annotations.NullMarked;
