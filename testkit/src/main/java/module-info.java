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
  // For the processor time that building an index takes.
  requires java.management;
  requires jdk.management;
  requires static org.jspecify;

  exports dev.heddle.testkit;

  uses dev.heddle.api.SparsePattern;
}
