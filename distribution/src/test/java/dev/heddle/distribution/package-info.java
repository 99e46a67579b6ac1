/** Tests of what is handed out, as its users have it: unpacked, started by its script. */
@NullMarked
package dev.heddle.distribution;

import org.jspecify.annotations.NullMarked;
