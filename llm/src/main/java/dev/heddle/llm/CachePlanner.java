package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Chooses where a model keeps keys and values. */
final class CachePlanner {
  private final Engine engine;
  private final List<CacheKind> kinds;

  /**
   * Makes a planner.
   *
   * @param named the only kind that may be taken, or empty for all that the engine has
   * @throws InvalidInputException if the engine has not what is named
   */
  CachePlanner(Engine engine, Optional<CacheKind> named) {
    this.engine = engine;
    this.kinds = named.map(List::of).orElse(engine.cacheKinds());
    for (CacheKind kind : kinds) {
      requireKind(engine, kind);
    }
  }

  /** Refuses a kind of cache that {@code engine} has not. */
  private static void requireKind(Engine engine, CacheKind kind) {
    if (!engine.cacheKinds().contains(kind)) {
      throw new InvalidInputException(
          "a model on the processor keeps no keys and values %s (%s); allowed: auto, %s"
              .formatted(
                  kind.description(),
                  kind.optionName(),
                  engine.cacheKinds().stream()
                      .map(CacheKind::optionName)
                      .collect(Collectors.joining(", "))));
    }
  }

  /** What is needed with each kind, given what is with the preferred one. */
  CachePlan plan(MemoryEstimate preferred, long capacity) {
    return new CachePlan(
        kinds.stream().map(kind -> choice(kind, preferred, capacity)).toList(),
        engine.availableBytes(),
        engine.availableHostBytes());
  }

  private CachePlan.Choice choice(CacheKind kind, MemoryEstimate preferred, long capacity) {
    CacheSize size = engine.cacheSize(kind, capacity);
    return new CachePlan.Choice(kind, preferred.withCache(size.bytes()), size.hostBytes());
  }

  /**
   * Takes a cache of the first kind that leaves room for all of {@code preferred}, or else of the
   * first that fits by itself: reading is checked again when it starts.
   *
   * @throws InvalidInputException if none fits
   */
  KeyValueCache open(MemoryEstimate preferred, int capacity) {
    CacheKind kind =
        plan(preferred, capacity)
            .taken()
            .map(CachePlan.Choice::kind)
            .orElseGet(() -> alone(capacity));
    return engine.newCache(kind, capacity);
  }

  private CacheKind alone(int capacity) {
    return plan(new MemoryEstimate(0, 0), capacity)
        .require("a cache of " + capacity + " tokens")
        .kind();
  }
}
