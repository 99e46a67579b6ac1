package dev.heddle.cli;

import dev.heddle.llm.CacheKind;
import dev.heddle.llm.Generation;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * An answer and how fast it came.
 *
 * @param text the answer, which has been printed already where people read it
 * @param cache where keys and values were kept; empty if they were dropped
 */
record RunReport(
    int promptTokens,
    Generation answer,
    String text,
    Optional<CacheKind> cache,
    String backend,
    int threads)
    implements Result {
  @Override
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("text", text);
    object.put("end", answer.end().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    object.put("promptTokens", promptTokens);
    object.put("newTokens", answer.tokens().size());
    object.put("firstTokenSeconds", Shown.toSeconds(answer.firstTokenNanos()));
    object.put("tokensPerSecond", tokensPerSecond());
    object.put("density", answer.density());
    object.put("kvCache", cache.map(CacheKind::optionName).orElse("dropped"));
    object.put("backend", backend);
    object.put("threads", threads);
    return object;
  }

  @Override
  public void print(Console console) {
    console.out().println();
    console.out().flush();
    console.note(
        ("%s tokens read in %s (density %s), then %d tokens at %s a second; keys and values %s;"
                + " backend %s, %d threads")
            .formatted(
                Shown.count(promptTokens),
                Shown.seconds(answer.firstTokenNanos()),
                Shown.percent(answer.density()),
                answer.tokens().size(),
                Shown.ratio(tokensPerSecond()),
                cache.map(CacheKind::description).orElse("dropped"),
                backend,
                threads));
  }

  /** Tokens a second after the first one; 0 when there are no more. */
  private double tokensPerSecond() {
    long nanos = answer.totalNanos() - answer.firstTokenNanos();
    return answer.tokens().size() < 2 ? 0 : (answer.tokens().size() - 1) / Shown.toSeconds(nanos);
  }
}
