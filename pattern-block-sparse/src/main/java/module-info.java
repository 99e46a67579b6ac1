/** The Block-Sparse pattern. Exports nothing: it is reached as a service. */
module dev.heddle.pattern.blocksparse {
  requires dev.heddle.api;
  requires static org.jspecify;
}
