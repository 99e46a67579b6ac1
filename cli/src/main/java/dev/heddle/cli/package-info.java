/**
 * The {@code heddle} command: one class per subcommand over {@link dev.heddle.cli.HeddleCommand},
 * array files in and out, and the demonstration.
 *
 * <p>Exit status: 0 done, 1 the work failed, 2 wrong usage or bad input. Results go to standard
 * output; notes, progress and errors to standard error. With {@code --json} standard output carries
 * exactly one JSON object.
 */
@NullMarked
package dev.heddle.cli;

import org.jspecify.annotations.NullMarked;
