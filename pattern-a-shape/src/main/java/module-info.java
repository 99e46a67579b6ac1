import dev.heddle.api.SparsePattern;
import dev.heddle.pattern.ashape.AShapePattern;

/** The A-shape pattern. Exports nothing: it is reached as a service. */
module dev.heddle.pattern.ashape {
  requires dev.heddle.api;
  requires static org.jspecify;

  provides SparsePattern with
      AShapePattern;
}
