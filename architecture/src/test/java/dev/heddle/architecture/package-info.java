/**
 * Tests of the whole: what may depend on what, what each module promises, and how the sources are
 * kept.
 */
@NullMarked
package dev.heddle.architecture;

import org.jspecify.annotations.NullMarked;
