package dev.heddle.llm;

import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reads a prompt in passes of so many tokens, each of which attends to itself and to all tokens
 * before it. A prompt that is no longer than a chunk is one pass.
 */
final class ChunkedPrefill {
  private final Engine engine;
  private final int chunkTokens;
  private final PrefillProgress progress;

  ChunkedPrefill(Engine engine, int chunkTokens, PrefillProgress progress) {
    this.engine = engine;
    this.chunkTokens = chunkTokens;
    this.progress = progress;
  }

  /** A chunk: tokens from {@code first} to {@code end - 1} of a prompt. */
  record Chunk(int first, int end) {
    /** The chunks of a prompt, in their order. */
    static List<Chunk> of(int tokens, int chunkTokens) {
      List<Chunk> chunks = new ArrayList<>();
      for (int first = 0; first < tokens; first += chunks.getLast().count()) {
        chunks.add(new Chunk(first, first + Math.min(chunkTokens, tokens - first)));
      }
      return chunks;
    }

    int count() {
      return end - first;
    }

    boolean has(int position) {
      return position >= first && position < end;
    }
  }

  /** Reads {@code tokens}; the cache is as it was if that fails. */
  Prefilled read(SparseAttention attention, KeyValueCache cache, int[] tokens, int[] positions) {
    int before = cache.tokens();
    float[][] logits = new float[positions.length][];
    List<PrefillReport> reports = List.of();
    try {
      for (Chunk chunk : Chunk.of(tokens.length, chunkTokens)) {
        Interruptions.check();
        int[] wanted =
            IntStream.range(0, positions.length).filter(i -> chunk.has(positions[i])).toArray();
        Prefilled prefilled =
            engine.prefill(
                attention,
                cache,
                Arrays.copyOfRange(tokens, chunk.first(), chunk.end()),
                Arrays.stream(wanted).map(i -> positions[i] - chunk.first()).toArray(),
                new ChunkProgress(progress, chunk, tokens.length));
        for (int i = 0; i < wanted.length; i++) {
          logits[wanted[i]] = prefilled.logits().shared(i);
        }
        reports = sum(reports, prefilled.reports());
      }
    } catch (RuntimeException | Error failure) {
      cache.truncate(before);
      throw failure;
    }
    return new Prefilled(new Logits(logits), reports);
  }

  /** What the layers computed over the chunks so far and the next one. */
  static List<PrefillReport> sum(List<PrefillReport> before, List<PrefillReport> next) {
    if (before.isEmpty()) {
      return next;
    }
    return IntStream.range(0, next.size())
        .mapToObj(layer -> before.get(layer).plus(next.get(layer)))
        .toList();
  }
}
