/** Tests that every pattern must pass, and the inputs that they run on. */
@NullMarked
package dev.heddle.testkit;

import org.jspecify.annotations.NullMarked;
