/** The Vertical-Slash pattern: provider and index builder. */
@NullMarked
package dev.heddle.pattern.verticalslash;

import org.jspecify.annotations.NullMarked;
