package dev.heddle.search;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A pattern that builds the index of each head once for each length, on the first prompt, and uses
 * it for all others: what is left of a pattern whose indices do not follow the prompt.
 */
public final class StaticPattern implements SparsePattern {
  private final SparsePattern pattern;
  private final Map<Key, BlockIndex> indices = new ConcurrentHashMap<>();

  private StaticPattern(SparsePattern pattern) {
    this.pattern = pattern;
  }

  private record Key(
      int layer, int head, Options options, AttentionShape shape, BlockShape blocks) {}

  /** The patterns of {@code registry}, under their names, with static indices. */
  public static PatternRegistry all(PatternRegistry registry) {
    PatternRegistry.Builder builder = PatternRegistry.builder();
    registry.entries().stream()
        .map(PatternRegistry.Entry::pattern)
        .filter(pattern -> !pattern.name().equals(PatternRegistry.DENSE))
        .forEach(pattern -> builder.add(new StaticPattern(pattern)));
    return builder.build();
  }

  @Override
  public String name() {
    return pattern.name();
  }

  @Override
  public String description() {
    return pattern.description() + "; indices of the first prompt";
  }

  @Override
  public List<Option<?>> options() {
    return pattern.options();
  }

  @Override
  public BlockIndex index(HeadInputs head, Options options) {
    Key key = new Key(head.layer(), head.head(), options, head.shape(), head.blocks());
    return indices.computeIfAbsent(key, _ -> pattern.index(head, options));
  }
}
