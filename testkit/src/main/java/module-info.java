/**
 * Tests that every pattern must pass, and the inputs that they run on.
 *
 * <p>A pattern author extends {@link dev.heddle.testkit.PatternContract} in a test of their own.
 */
module dev.heddle.testkit {
  requires transitive dev.heddle.api;
  requires transitive dev.heddle.kernels;
  requires transitive org.junit.jupiter.api;
  requires org.assertj.core;
  requires static org.jspecify;

  exports dev.heddle.testkit;

  uses dev.heddle.api.SparsePattern;
}
