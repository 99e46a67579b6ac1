/**
 * Finds patterns, reads heads files, and runs attention with each head's own pattern.
 *
 * <p>Patterns come from other modules through {@link java.util.ServiceLoader}: this module requires
 * none of them. Dagger and Jackson are implementation details that no signature shows.
 */
module dev.heddle.runtime {
  requires transitive dev.heddle.api;
  requires transitive dev.heddle.kernels;
  requires dagger;
  requires jakarta.inject;
  requires tools.jackson.databind;
  requires static java.compiler; // @Generated on what Dagger writes, so that Error Prone lets it be
  requires static org.jspecify;

  exports dev.heddle.runtime;

  uses dev.heddle.api.SparsePattern;
}
