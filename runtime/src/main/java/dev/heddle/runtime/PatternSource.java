package dev.heddle.runtime;

import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.function.Supplier;

/** A place where patterns are looked for: a module layer, a plugin directory, the caller's code. */
@FunctionalInterface
interface PatternSource {
  /** What lies there. Creates no pattern yet and does not throw for a broken provider. */
  List<Candidate> candidates();

  /**
   * A provider that may turn out to be unusable.
   *
   * @param source where it lies, for the user
   * @param required whether an unusable one is an error instead of a refusal
   * @param pattern makes the pattern; may throw anything, since it runs the provider's code
   */
  record Candidate(String source, boolean required, Supplier<SparsePattern> pattern) {
    static Candidate found(String source, Supplier<SparsePattern> pattern) {
      return new Candidate(source, false, pattern);
    }

    static Candidate required(String source, Supplier<SparsePattern> pattern) {
      return new Candidate(source, true, pattern);
    }
  }
}
