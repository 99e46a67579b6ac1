/** The Block-Sparse pattern: provider and index builder. */
@NullMarked
package dev.heddle.pattern.blocksparse;

import org.jspecify.annotations.NullMarked;
