import dev.heddle.api.SparsePattern;
import dev.heddle.pattern.blocksparse.BlockSparsePattern;

/** The Block-Sparse pattern. Exports nothing: it is reached as a service. */
module dev.heddle.pattern.blocksparse {
  requires dev.heddle.api;
  requires static org.jspecify;

  provides SparsePattern with
      BlockSparsePattern;
}
