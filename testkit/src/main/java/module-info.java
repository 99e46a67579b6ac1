/** Tests that every pattern must pass, for pattern authors to extend. */
module dev.heddle.testkit {
  requires transitive dev.heddle.api;
  requires transitive dev.heddle.kernels;
  requires transitive org.junit.jupiter.api;
  requires org.assertj.core;
  requires static org.jspecify;
}
