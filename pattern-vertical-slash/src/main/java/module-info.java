import dev.heddle.api.SparsePattern;
import dev.heddle.pattern.verticalslash.VerticalSlashPattern;

/** The Vertical-Slash pattern. Exports nothing: it is reached as a service. */
module dev.heddle.pattern.verticalslash {
  requires dev.heddle.api;
  requires static org.jspecify;

  provides SparsePattern with
      VerticalSlashPattern;
}
