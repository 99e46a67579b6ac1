package dev.heddle.runtime;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The pattern and options of every head of a model: a {@link HeadsConfig} whose names have been
 * looked up. Heads with equal pattern and options share one {@link Assignment}.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class AttentionPlan {
  private final ModelShape shape;
  private final Assignment[] byHead;
  private final List<Assignment> distinct;

  private AttentionPlan(ModelShape shape, Assignment[] byHead, List<Assignment> distinct) {
    this.shape = shape;
    this.byHead = byHead;
    this.distinct = distinct;
  }

  /**
   * What one head uses.
   *
   * @param options a value for each option of {@code pattern}
   */
  public record Assignment(SparsePattern pattern, Options options) {
    /** Whether the head is assigned dense attention. */
    public boolean isDense() {
      return pattern.name().equals(PatternRegistry.DENSE);
    }
  }

  /**
   * Looks the patterns and options of {@code config} up in {@code registry}.
   *
   * @throws HeadsFileException if a pattern or option is unknown or a value is not allowed, naming
   *     its place in the file
   */
  public static AttentionPlan resolve(HeadsConfig config, PatternRegistry registry) {
    return new Resolver(config, registry).resolve();
  }

  /** The model that this is for. */
  public ModelShape shape() {
    return shape;
  }

  /**
   * What a head uses.
   *
   * @param layer from 0
   * @param head the query head's global number, from 0
   * @throws InvalidInputException if the model has no such layer or head
   */
  public Assignment assignment(int layer, int head) {
    requireIndex("layer", layer, shape.layers());
    requireIndex("head", head, shape.queryHeads());
    return byHead[layer * shape.queryHeads() + head];
  }

  /** The different assignments, in the order in which heads first use them. */
  public List<Assignment> assignments() {
    return distinct;
  }

  private static void requireIndex(String name, int value, int count) {
    if (value < 0 || value >= count) {
      throw new InvalidInputException(
          "%s is %d; allowed: 0 to %d".formatted(name, value, count - 1));
    }
  }

  /** One resolution: interns the assignments of a configuration. */
  private static final class Resolver {
    private final HeadsConfig config;
    private final PatternRegistry registry;
    private final Map<Assignment, Assignment> interned = new HashMap<>();

    Resolver(HeadsConfig config, PatternRegistry registry) {
      this.config = config;
      this.registry = registry;
    }

    AttentionPlan resolve() {
      List<Assignment> defaults =
          config.defaults().stream().map(choice -> look("defaults", choice)).toList();
      List<Assignment> entries =
          IntStream.range(0, config.entries().size())
              .mapToObj(i -> look("heads[" + i + "]", config.entries().get(i).choice()))
              .toList();
      int[] claims = config.claims();
      Assignment[] byHead = new Assignment[claims.length];
      for (int i = 0; i < claims.length; i++) {
        byHead[i] = claims[i] < 0 ? defaults.getFirst() : entries.get(claims[i]);
      }
      return new AttentionPlan(
          config.shape(), byHead, List.copyOf(new LinkedHashSet<>(List.of(byHead))));
    }

    private Assignment look(String place, PatternChoice choice) {
      SparsePattern pattern;
      try {
        pattern = registry.get(choice.pattern());
      } catch (UnknownPatternException unknown) {
        throw new HeadsFileException(config.origin(), place + ".pattern", unknown);
      }
      Assignment assignment = new Assignment(pattern, options(place, pattern, choice.options()));
      return interned.computeIfAbsent(assignment, first -> first);
    }

    private Options options(String place, SparsePattern pattern, Map<String, Object> given) {
      Options options = Options.defaults(pattern.options());
      for (Map.Entry<String, Object> option : given.entrySet()) {
        try {
          options = options.with(option.getKey(), value(pattern, option));
        } catch (InvalidInputException bad) {
          String path = JsonPlace.join(place + ".options", option.getKey());
          throw new HeadsFileException(config.origin(), path, bad);
        }
      }
      return options;
    }

    /** Options take text from a command line; in a heads file a number is not text. */
    private static Object value(SparsePattern pattern, Map.Entry<String, Object> given) {
      if (given.getValue() instanceof String text) {
        for (Option<?> option : pattern.options()) {
          if (option.name().equals(given.getKey())) {
            throw new InvalidInputException(
                "is the text " + Quoted.text(text) + "; allowed: " + option.allowed());
          }
        }
      }
      return given.getValue();
    }
  }
}
