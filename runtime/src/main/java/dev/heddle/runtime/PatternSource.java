package dev.heddle.runtime;

import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A place where patterns are looked for: a module layer, a plugin folder, the caller's code. */
@FunctionalInterface
interface PatternSource {
  /** What lies there. Creates no pattern yet and does not throw for a broken provider. */
  List<Candidate> candidates();

  /** What becomes of a candidate that cannot be used, or whose name another one claims too. */
  enum Standing {
    /** Added in code: what is wrong with it is the caller's error. */
    REQUIRED,
    /** Part of the program: refused, and so is every other one that claims its name. */
    HOST,
    /** Dropped in: as a part of the program, and takes no name that such a part has. */
    PLUGIN
  }

  /**
   * A provider that may turn out to be unusable.
   *
   * @param source where it lies, for the user
   * @param provider its class, where that is known; a class that is found again is no new pattern
   * @param alsoIn where copies of it lie
   * @param pattern makes the pattern; may throw anything, since it runs the provider's code
   */
  record Candidate(
      String source,
      Standing standing,
      Optional<Class<?>> provider,
      List<String> alsoIn,
      Supplier<SparsePattern> pattern) {
    static Candidate of(String source, Standing standing, Supplier<SparsePattern> pattern) {
      return new Candidate(source, standing, Optional.empty(), List.of(), pattern);
    }

    static Candidate found(String source, Supplier<SparsePattern> pattern) {
      return of(source, Standing.HOST, pattern);
    }

    static Candidate required(String source, Supplier<SparsePattern> pattern) {
      return of(source, Standing.REQUIRED, pattern);
    }

    static Candidate plugin(String source, Supplier<SparsePattern> pattern) {
      return of(source, Standing.PLUGIN, pattern);
    }

    /** A plugin of which it is known already why it cannot be used. */
    static Candidate refusedPlugin(String source, RuntimeException reason) {
      return plugin(
          source,
          () -> {
            throw reason;
          });
    }

    Candidate withProvider(Class<?> type) {
      return new Candidate(source, standing, Optional.of(type), alsoIn, pattern);
    }

    Candidate withCopy(String place) {
      return new Candidate(source, standing, provider, List.of(place), pattern);
    }
  }
}
