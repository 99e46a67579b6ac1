/**
 * Attention backends: how the cells that an index lists are computed on a processor.
 *
 * <p>The root package is what callers see; each backend has a package of its own, not exported,
 * because each is a wall: what it needs, no other part of Heddle may need.
 */
@SuppressWarnings("requires-automatic") // JCuda has no module descriptor
module dev.heddle.kernels {
  requires transitive dev.heddle.api;
  requires static org.jspecify;
  requires java.logging; // JCuda's need: an automatic module cannot say so itself
  requires jcuda; // the cuda backend alone; brings the automatic module jcuda.natives along
  requires jdk.incubator.vector; // the vector backend alone

  exports dev.heddle.kernels;
}
