package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.SparsePattern;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.SortedMap;

/**
 * The patterns that heads may be assigned to, by name: those found on the module path, those of
 * plugins, those added in code, and {@code dense}, which is always there.
 *
 * <p>A provider that cannot be used is refused and listed in {@link #refusals()}; the others stay
 * usable. Where two providers claim one name neither is used, and asking for that name is an error
 * that names both; but a plugin that claims the name of a pattern from elsewhere is refused alone,
 * so that adding a plugin never changes which pattern a name stands for. A module that is on the
 * module path and among the plugins counts once.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class PatternRegistry {
  /** The name of the built-in pattern in which every query reads every key; reserved. */
  public static final String DENSE = "dense";

  private final SortedMap<String, Entry> entries;
  private final Map<String, List<String>> contested;
  private final List<Refusal> refusals;

  PatternRegistry(
      SortedMap<String, Entry> entries,
      Map<String, List<String>> contested,
      List<Refusal> refusals) {
    this.entries = entries;
    this.contested = contested;
    this.refusals = List.copyOf(refusals);
  }

  /** The patterns of the module path, and {@code dense}. */
  public static PatternRegistry discover() {
    return builder().discover().build();
  }

  /** Starts a registry that holds {@code dense} alone: nothing is looked for unless asked. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The pattern called {@code name}.
   *
   * @throws UnknownPatternException if there is none, naming those that there are, or if several
   *     providers claim the name
   */
  public SparsePattern get(String name) {
    Entry entry = entries.get(name);
    if (entry != null) {
      return entry.pattern();
    }
    List<String> claimants = contested.get(name);
    if (claimants != null) {
      throw UnknownPatternException.contested(name, claimants);
    }
    throw UnknownPatternException.missing(name, entries(), refusals);
  }

  /** The patterns, sorted by name, each with where it came from. */
  public List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  /** The providers that were found but cannot be used, each with the reason. */
  public List<Refusal> refusals() {
    return refusals;
  }

  /**
   * A pattern that may be used.
   *
   * @param source where it came from: its module and the jar or folder of that, or a word such as
   *     {@code "built in"}
   * @param alsoIn the places of plugins that are the same module; their copies are not used
   */
  public record Entry(SparsePattern pattern, String source, List<String> alsoIn) {
    /** Makes an entry. */
    public Entry {
      alsoIn = List.copyOf(alsoIn);
    }
  }

  /**
   * A provider that cannot be used.
   *
   * @param source where it came from, as in {@link Entry}
   * @param reason why it is not used, one line
   */
  public record Refusal(String source, String reason) {}

  /** Says where patterns come from. Not safe for use by several threads. */
  public static final class Builder {
    static final String IN_CODE = "added in code";

    private final List<PatternSource> sources = new ArrayList<>();
    private final SequencedSet<Path> pluginFolders = new LinkedHashSet<>();

    private Builder() {}

    /**
     * Adds a pattern instance.
     *
     * <p>What is wrong with an instance added in code is the caller's own error: {@link #build}
     * throws instead of listing a refusal.
     */
    public Builder add(SparsePattern pattern) {
      String source = IN_CODE + " (" + pattern.getClass().getName() + ")";
      sources.add(() -> List.of(PatternSource.Candidate.required(source, () -> pattern)));
      return this;
    }

    /** Adds the patterns that the modules of the module path provide. */
    public Builder discover() {
      sources.add(ModuleLayerSource.ofHost());
      return this;
    }

    /**
     * Adds the plugins in {@code folder}: each jar that lies in it, and each folder in it that
     * holds the jars of one plugin. Each is a module layer of its own above Heddle's, so that a
     * broken one fails alone; what Heddle has on its module path comes from there. A jar without a
     * module descriptor names its patterns in {@code META-INF/services}. Their code runs with all
     * rights of this program.
     */
    public Builder plugins(Path folder) {
      pluginFolders.add(folder.toAbsolutePath().normalize());
      return this;
    }

    Builder from(PatternSource source) {
      sources.add(source);
      return this;
    }

    /**
     * Looks at every source.
     *
     * @throws InvalidInputException if a pattern that was added in code has a bad name, bad
     *     options, or the name of another pattern that is no plugin; or if a folder of plugins
     *     cannot be read
     */
    public PatternRegistry build() {
      PatternAdmission admission = new PatternAdmission();
      sources.forEach(source -> source.candidates().forEach(admission::admit));
      for (Path folder : pluginFolders) { // last: of a module found twice, the program's counts
        new PluginFolder(folder).candidates().forEach(admission::admit);
      }
      return admission.registry();
    }
  }
}
