package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Decides which candidates become patterns of a registry and which are refused, and why. */
final class PatternAdmission {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
  private static final String BUILT_IN = "built in";

  /** Causes that are followed: chains may have loops. */
  private static final int MOST_CAUSES = 20;

  private final Map<String, List<Admitted>> byName = new LinkedHashMap<>();
  private final List<Refusal> refusals = new ArrayList<>();

  PatternAdmission() {
    keep(new Admitted(PatternRegistry.DENSE, new Entry(new DensePattern(), BUILT_IN), false));
  }

  private record Admitted(String name, Entry entry, boolean required) {}

  /** Makes the candidate's pattern, checks what it declares, and keeps or refuses it. */
  void admit(PatternSource.Candidate candidate) {
    try {
      SparsePattern pattern = candidate.pattern().get();
      String name = requireDeclaredWell(pattern);
      keep(new Admitted(name, new Entry(pattern, candidate.source()), candidate.required()));
    } catch (OutOfMemoryError notTheProvidersFault) {
      throw notTheProvidersFault;
    } catch (Throwable failure) { // a provider's code may throw anything, and must fail alone
      if (candidate.required()) {
        throw new InvalidInputException(
            "the pattern " + candidate.source() + " cannot be used: " + reason(failure), failure);
      }
      refusals.add(new Refusal(candidate.source(), reason(failure)));
    }
  }

  /** The registry of what was kept. */
  PatternRegistry registry() {
    SortedMap<String, Entry> entries = new TreeMap<>();
    Map<String, List<String>> contested = new TreeMap<>();
    byName.forEach((name, claimants) -> {
      if (claimants.size() == 1) {
        entries.put(name, claimants.getFirst().entry());
      } else {
        contested.put(name, refuseAll(name, claimants));
      }
    });
    return new PatternRegistry(entries, contested, refusals);
  }

  private void keep(Admitted admitted) {
    byName.computeIfAbsent(admitted.name(), name -> new ArrayList<>()).add(admitted);
  }

  private List<String> refuseAll(String name, List<Admitted> claimants) {
    List<String> sources = claimants.stream().map(claimant -> claimant.entry().source()).toList();
    if (claimants.stream().anyMatch(Admitted::required)) {
      throw UnknownPatternException.contested(name, sources);
    }
    String reason = UnknownPatternException.several(name, sources);
    sources.forEach(source -> refusals.add(new Refusal(source, reason)));
    return sources;
  }

  private static String requireDeclaredWell(SparsePattern pattern) {
    Objects.requireNonNull(pattern, "the provider gave no pattern");
    String name = Objects.requireNonNull(pattern.name(), "the pattern has no name");
    if (!NAME.matcher(name).matches()) {
      throw new InvalidInputException(
          "the pattern's name is "
              + Quoted.text(name)
              + "; allowed: lower-case words joined by dashes");
    }
    if (name.equals(PatternRegistry.DENSE)) {
      throw new InvalidInputException("the name \"dense\" is reserved for the built-in pattern");
    }
    Objects.requireNonNull(pattern.description(), "the pattern has no description");
    Options.defaults(
        List.copyOf(Objects.requireNonNull(pattern.options(), "the pattern's options are null")));
    return name;
  }

  /** One line that says what went wrong, to a reader who has the provider and not its code. */
  private static String reason(Throwable failure) {
    return switch (failure) {
      case InvalidInputException declaredBadly -> String.valueOf(declaredBadly.getMessage());
      case LinkageError linkage ->
          "it does not fit this version of Heddle or of the JVM: " + firstLine(linkage);
      default -> firstLine(failure);
    };
  }

  private static String firstLine(Throwable failure) {
    Throwable root = failure;
    for (int depth = 0; depth < MOST_CAUSES && root.getCause() != null; depth++) {
      root = root.getCause();
    }
    return String.valueOf(root).lines().findFirst().orElse(root.getClass().getName());
  }
}
