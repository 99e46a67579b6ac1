package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import dev.heddle.runtime.PatternSource.Candidate;
import dev.heddle.runtime.PatternSource.Standing;
import java.util.ArrayList;
import java.util.HashMap;
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

  private final Map<String, List<Admitted>> byName = new LinkedHashMap<>();
  private final Map<Class<?>, List<String>> copies = new HashMap<>();
  private final List<Refusal> refusals = new ArrayList<>();

  PatternAdmission() {
    SparsePattern dense = new DensePattern();
    keep(new Admitted(PatternRegistry.DENSE, dense, Candidate.found(BUILT_IN, () -> dense)));
  }

  private record Admitted(String name, SparsePattern pattern, Candidate candidate) {
    String source() {
      return candidate.source();
    }

    boolean isPlugin() {
      return candidate.standing() == Standing.PLUGIN;
    }
  }

  /** Makes the candidate's pattern, checks what it declares, and keeps or refuses it. */
  void admit(Candidate candidate) {
    if (foundBefore(candidate)) {
      return;
    }
    try {
      SparsePattern pattern = candidate.pattern().get();
      keep(new Admitted(requireDeclaredWell(pattern), pattern, candidate));
    } catch (OutOfMemoryError notTheProvidersFault) {
      throw notTheProvidersFault;
    } catch (Throwable failure) { // a provider's code may throw anything, and must fail alone
      String reason = RefusalReason.of(failure);
      if (candidate.standing() == Standing.REQUIRED) {
        throw new InvalidInputException(
            "the pattern " + candidate.source() + " cannot be used: " + reason, failure);
      }
      refusals.add(new Refusal(candidate.source(), reason));
    }
  }

  /** The registry of what was kept. */
  PatternRegistry registry() {
    SortedMap<String, Entry> entries = new TreeMap<>();
    Map<String, List<String>> contested = new TreeMap<>();
    byName.forEach((name, all) -> {
      List<Admitted> claimants = withoutIntruders(name, all);
      if (claimants.size() == 1) {
        entries.put(name, entry(claimants.getFirst()));
      } else {
        contested.put(name, refuseAll(name, claimants));
      }
    });
    return new PatternRegistry(entries, contested, refusals);
  }

  /** One class that is found twice, on the module path and among the plugins, is one pattern. */
  private boolean foundBefore(Candidate candidate) {
    if (candidate.provider().isEmpty()) {
      return false;
    }
    Class<?> type = candidate.provider().get();
    boolean found = copies.containsKey(type);
    copies.computeIfAbsent(type, _ -> new ArrayList<>()).addAll(candidate.alsoIn());
    return found;
  }

  private Entry entry(Admitted admitted) {
    List<String> alsoIn =
        admitted
            .candidate()
            .provider()
            .map(type -> copies.getOrDefault(type, List.of()))
            .orElse(List.of());
    return new Entry(admitted.pattern(), admitted.source(), alsoIn);
  }

  private void keep(Admitted admitted) {
    byName.computeIfAbsent(admitted.name(), name -> new ArrayList<>()).add(admitted);
  }

  /**
   * Refuses plugins that claim the name of a pattern of the program, so that no plugin changes what
   * a heads file means.
   */
  private List<Admitted> withoutIntruders(String name, List<Admitted> claimants) {
    List<Admitted> residents = claimants.stream().filter(one -> !one.isPlugin()).toList();
    if (residents.isEmpty()) {
      return claimants;
    }
    for (Admitted claimant : claimants) {
      if (claimant.isPlugin()) {
        refusals.add(
            new Refusal(
                claimant.source(),
                "there is a pattern called \"%s\" already, which no plugin replaces: %s"
                    .formatted(name, residents.getFirst().source())));
      }
    }
    return residents;
  }

  private List<String> refuseAll(String name, List<Admitted> claimants) {
    List<String> sources = claimants.stream().map(Admitted::source).toList();
    if (claimants.stream().anyMatch(one -> one.candidate().standing() == Standing.REQUIRED)) {
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
}
