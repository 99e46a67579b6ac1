package dev.heddle.search;

import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * What a search found.
 *
 * @param shape the model's sizes
 * @param costs what attention was taken to cost
 * @param heads what each head may use, by layer and head
 * @param chosen what each head is to use, in the same order
 * @param loss how far the model's predictions with the chosen heads are from dense ones on the
 *     first sample: Kullback-Leibler divergence in nats, mean over the prompt plus mean over the
 *     answers; empty if that was not measured
 */
public record SearchResult(
    ModelShape shape,
    KernelCosts costs,
    List<HeadChoices> heads,
    List<Choice> chosen,
    OptionalDouble loss) {
  public SearchResult {
    heads = List.copyOf(heads);
    chosen = List.copyOf(chosen);
  }

  static SearchResult choose(
      ModelShape shape, SearchPlan plan, KernelCosts costs, List<HeadChoices> heads) {
    List<HeadChoices> allowed = heads.stream().map(head -> head.only(plan.patterns())).toList();
    return new SearchResult(
        shape, costs, heads, Trade.choose(allowed, plan.goal()), OptionalDouble.empty());
  }

  SearchResult withLoss(double measured) {
    return new SearchResult(shape, costs, heads, chosen, OptionalDouble.of(measured));
  }

  /** How many times as fast as dense the attention of all heads is, index building included. */
  public double speedup() {
    double dense = heads.stream().mapToDouble(HeadChoices::denseNanos).sum();
    return dense / chosen.stream().mapToDouble(Choice::nanos).sum();
  }

  /** Root of the mean of the squared errors of the heads. */
  public double error() {
    return Math.sqrt(
        chosen.stream()
            .mapToDouble(choice -> choice.meanError() * choice.meanError())
            .average()
            .orElse(0));
  }

  /**
   * The heads file: an entry for each head, with what was measured as notes.
   *
   * @param notes remarks on the whole
   */
  public HeadsConfig toHeads(Map<String, ?> notes) {
    HeadsConfig.Builder builder = HeadsConfig.builder(shape).notes(notes);
    for (int i = 0; i < heads.size(); i++) {
      HeadChoices head = heads.get(i);
      Choice choice = chosen.get(i);
      builder
          .assign("" + head.layer(), "" + head.head(), choice.pattern(), choice.options())
          .entryNotes(choice.notes(head.denseNanos()));
    }
    return builder.build();
  }

  /** What a heads file's notes say of the costs, from which another search takes them. */
  public Map<String, Object> costNotes() {
    return costs.json();
  }

  /**
   * The members of a JSON object: for each head what was chosen and all that it could have been.
   */
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("speedup", speedup());
    object.put("error", error());
    loss.ifPresent(nats -> object.put("loss", nats));
    object.put("costs", costs.json());
    object.put("heads", IntStream.range(0, heads.size()).mapToObj(this::json).toList());
    return object;
  }

  private Map<String, Object> json(int i) {
    HeadChoices head = heads.get(i);
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("layer", head.layer());
    object.put("head", head.head());
    object.put("denseNanos", head.denseNanos());
    object.put("spreadWeight", head.spreadWeight());
    object.put("answerWeight", head.answerWeight());
    object.put("chosen", chosen.get(i).json(head.denseNanos()));
    object.put(
        "choices", head.choices().stream().map(choice -> choice.json(head.denseNanos())).toList());
    return object;
  }
}
