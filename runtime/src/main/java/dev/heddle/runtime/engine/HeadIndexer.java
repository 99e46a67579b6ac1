package dev.heddle.runtime.engine;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.HeadInputs;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.PatternFailedException;
import dev.heddle.runtime.PatternRegistry;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/** Has each head's pattern build its index, and checks what comes back. */
final class HeadIndexer implements AutoCloseable {
  /**
   * An index with at least this share of the causal cells runs dense: the few cells that it leaves
   * out do not pay for reading its lists.
   */
  private static final double DENSE_FROM_DENSITY = 0.95;

  private final AttentionPlan plan;
  private final AttentionSettings settings;
  private final IndexThreads threads;

  @Inject
  HeadIndexer(AttentionPlan plan, AttentionSettings settings, IndexThreads threads) {
    this.plan = plan;
    this.settings = settings;
    this.threads = threads;
  }

  /**
   * Builds the index of each head of {@code dense}, whose own indices are dense.
   *
   * @throws PatternFailedException if a pattern fails or gives an index that cannot be used
   */
  List<HeadIndex> index(int layer, AttentionCall dense) {
    int heads = dense.shape().queryHeads();
    if (dense.shape().keyTokens() < settings.denseBelow()) {
      return IntStream.range(0, heads).mapToObj(head -> dense(layer, head, dense)).toList();
    }
    return index(layer, dense, IntStream.range(0, heads).boxed().toList());
  }

  /** The same for {@code heads} alone, however few keys there are. */
  List<HeadIndex> index(int layer, AttentionCall dense, List<Integer> heads) {
    return threads.map(heads.size(), i -> build(layer, heads.get(i), dense));
  }

  /**
   * The index of each of {@code heads}, whose numbers are the model's, however few keys there are.
   *
   * @throws PatternFailedException if a pattern fails or gives an index that cannot be used
   */
  List<BlockIndex> index(List<HeadInputs> heads) {
    return threads.map(heads.size(), i -> build(heads.get(i)).index());
  }

  /** Which head's index is being built: global numbers. */
  private record Place(String pattern, int layer, int head) {
    PatternFailedException threw(Throwable cause) {
      return new PatternFailedException(pattern, layer, head, cause);
    }

    PatternFailedException gave(String what) {
      return new PatternFailedException(pattern, layer, head, "it gave " + what);
    }
  }

  private HeadIndex dense(int layer, int head, AttentionCall call) {
    Assignment assignment = plan.assignment(layer, settings.globalHead(head));
    return new HeadIndex(
        PatternRegistry.DENSE,
        call.indices().getFirst(),
        assignment.isDense() ? "" : DenseNotes.below(settings.denseBelow()));
  }

  private HeadIndex build(int layer, int head, AttentionCall call) {
    int keyValueHead = call.shape().keyValueHead(head);
    return build(
        new HeadInputs(
            call.shape(),
            settings.blocks(),
            layer,
            settings.globalHead(head),
            call.queries().head(head),
            call.keys().head(keyValueHead),
            call.values().head(keyValueHead),
            call.softmaxScale()));
  }

  private HeadIndex build(HeadInputs inputs) {
    Assignment assignment = plan.assignment(inputs.layer(), inputs.head());
    Place place = new Place(assignment.pattern().name(), inputs.layer(), inputs.head());
    BlockIndex index = requireUsable(place, inputs, ask(place, assignment, inputs));
    return settings.prefersDense() && index.density() >= DENSE_FROM_DENSITY && !assignment.isDense()
        ? new HeadIndex(
            PatternRegistry.DENSE,
            BlockIndex.dense(inputs.shape(), inputs.blocks()),
            DenseNotes.density(index.density()))
        : new HeadIndex(place.pattern(), index, "");
  }

  private static BlockIndex ask(Place place, Assignment assignment, HeadInputs inputs) {
    BlockIndex index;
    try {
      index = assignment.pattern().index(inputs, assignment.options());
    } catch (OutOfMemoryError notThePatternsFault) {
      throw notThePatternsFault;
    } catch (Throwable failure) { // foreign code may throw anything; the message must say whose
      throw place.threw(failure);
    }
    if (Objects.isNull(index)) { // foreign code may break the promise of its signature
      throw place.gave("no index (null)");
    }
    return index;
  }

  private static BlockIndex requireUsable(Place place, HeadInputs inputs, BlockIndex index) {
    if (!index.shape().equals(inputs.shape())) {
      throw place.gave("an index for %s instead of %s".formatted(index.shape(), inputs.shape()));
    }
    if (!index.blocks().equals(inputs.blocks())) {
      throw place.gave("an index in %s instead of %s".formatted(index.blocks(), inputs.blocks()));
    }
    return index;
  }

  @Override
  public void close() {
    threads.close();
  }
}
