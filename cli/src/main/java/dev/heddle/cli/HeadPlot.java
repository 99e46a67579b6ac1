package dev.heddle.cli;

import dev.heddle.api.BlockIndex;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.SparseAttention;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Looks at one head. */
final class HeadPlot implements PlotWork {
  private final Setting setting;
  private final Engine engine;
  private final int layer;
  private final int head;
  private Optional<Seen> seen = Optional.empty();

  HeadPlot(Setting setting, Engine engine, int layer, int head) {
    this.setting = setting;
    this.engine = engine;
    this.layer = layer;
    this.head = head;
  }

  /**
   * What came of it.
   *
   * @param density cells of the index as a share of the causal cells
   */
  record Seen(
      Setting setting, int layer, int head, Assignment used, double density, AttentionMap map) {}

  @Override
  public void look(int lookedAt, Prefill attention) {
    if (lookedAt == layer) {
      BlockIndex index = index(attention);
      AttentionMap map =
          new AttentionMapper.Task(
                  attention.queries().head(head),
                  attention.keys().head(index.shape().keyValueHead(head)),
                  attention.softmaxScale(),
                  index,
                  HeadPicture.MOST_PIXELS)
              .run(engine.threads());
      seen = Optional.of(new Seen(setting, layer, head, assignment(), index.density(), map));
    }
  }

  private Assignment assignment() {
    return setting.plan().assignment(layer, head);
  }

  /** The other heads are taken for dense, so that their indices are not built for nothing. */
  private BlockIndex index(Prefill attention) {
    Assignment used = assignment();
    HeadsConfig alone =
        HeadsConfig.builder(setting.plan().shape())
            .defaults(PatternRegistry.DENSE, Map.of())
            .assign("" + layer, "" + head, used.pattern().name(), used.options().toMap())
            .build();
    try (SparseAttention attentionOfHead = engine.attention(alone)) {
      return attentionOfHead.indices(layer, attention).get(head);
    }
  }

  @Override
  public Canvas paint() {
    return new HeadPicture(seen.orElseThrow()).paint();
  }

  @Override
  public Result result() {
    return new Report(seen.orElseThrow());
  }

  @Override
  public void close() {
    // holds nothing
  }

  /** The picture in numbers. */
  private record Report(Seen seen) implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("out", seen.setting().out());
      object.put("model", seen.setting().model());
      object.put("tokens", seen.setting().tokens());
      object.put("layer", seen.layer());
      object.put("head", seen.head());
      object.put("pattern", seen.used().pattern().name());
      object.put("options", seen.used().options().toMap());
      object.put("density", seen.density());
      object.put("recall", seen.map().recall());
      object.put("largestMissedWeight", seen.map().largestMissed());
      object.put("mapPixels", seen.map().size());
      return object;
    }

    @Override
    public void print(Console console) {
      console
          .out()
          .println(
              "layer %d, head %d, %s: density %s, recall %s of the softmax mass; picture in %s"
                  .formatted(
                      seen.layer(),
                      seen.head(),
                      seen.used().pattern().name(),
                      Shown.percent(seen.density()),
                      Shown.percent(seen.map().recall()),
                      seen.setting().out()));
    }
  }
}
