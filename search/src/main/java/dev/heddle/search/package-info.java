/**
 * The search for each head's pattern and options, and the evaluation of heads files on tasks.
 *
 * <p>Both read texts with an open model and a façade of the caller's. Reports are values that know
 * how to write themselves as the members of a JSON object, whose {@code "format"} says what they
 * are. Lengths are in tokens, times in seconds or nanoseconds as their names say, shares from 0 to
 * 1.
 */
@NullMarked
package dev.heddle.search;

import org.jspecify.annotations.NullMarked;
