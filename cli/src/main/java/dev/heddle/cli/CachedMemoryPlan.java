package dev.heddle.cli;

import dev.heddle.llm.CachePlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a prompt and its answer would need, and what with other kinds of caches.
 *
 * @param memory the need with the cache that would be taken
 * @param caches all kinds of caches
 */
record CachedMemoryPlan(MemoryPlan memory, CachePlan caches) implements Result {
  @Override
  public boolean succeeded() {
    return caches.taken().isPresent();
  }

  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>(memory.json());
    object.put("fits", succeeded());
    caches.taken().ifPresent(taken -> object.put("kvCache", taken.kind().optionName()));
    List<Map<String, Object>> kinds = new ArrayList<>();
    for (CachePlan.Choice choice : caches.choices()) {
      Map<String, Object> kind = new LinkedHashMap<>();
      kind.put("kvCache", choice.kind().optionName());
      kind.put("keyValueBytes", choice.needed().cacheBytes());
      kind.put("computeBytes", choice.needed().activationBytes());
      kind.put("hostBytes", choice.hostBytes());
      kind.put("fits", caches.fits(choice));
      kinds.add(kind);
    }
    object.put("freeHostBytes", caches.availableHostBytes());
    object.put("kvCaches", kinds);
    return object;
  }

  @Override
  public void print(Console console) {
    memory.print(console);
    if (caches.choices().size() > 1 || caches.choices().getFirst().hostBytes() > 0) {
      caches.choices().forEach(choice -> console.out().println(line(choice)));
    }
  }

  private String line(CachePlan.Choice choice) {
    boolean taken = caches.taken().filter(choice::equals).isPresent();
    String host =
        choice.hostBytes() == 0
            ? ""
            : String.format(
                Locale.ROOT,
                " and %.2f of the machine's %.2f",
                Shown.gibibytes(choice.hostBytes()),
                Shown.gibibytes(caches.availableHostBytes()));
    return String.format(
        Locale.ROOT,
        "  %-10s  keys and values %s: %.2f GiB%s: %s",
        choice.kind().optionName(),
        choice.kind().description(),
        Shown.gibibytes(choice.needed().bytes()),
        host,
        taken ? "is taken" : caches.fits(choice) ? "would fit" : "does not fit");
  }
}
