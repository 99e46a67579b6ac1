/**
 * Tests that every pattern must pass, and the inputs that they run on.
 *
 * <p>Everything random here comes from a seed, and every failure names the pattern, the shape, the
 * options and that seed. Memory is garbage collected.
 */
@NullMarked
package dev.heddle.testkit;

import org.jspecify.annotations.NullMarked;
