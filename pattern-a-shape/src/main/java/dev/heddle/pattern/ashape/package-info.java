/** The A-shape pattern: provider and index builder. */
@NullMarked
package dev.heddle.pattern.ashape;

import org.jspecify.annotations.NullMarked;
