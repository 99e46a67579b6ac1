package com.example.library;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LibraryTest {
  private static final int TOKENS = 2048;

  /** Sums of the same products in another order; the numbers are near 1. */
  private static final double ROUNDING = 1e-5;

  @Test
  void fileAndCodeSayTheSame() {
    assertEquals(Heads.inCode(), Heads.fromFile(Path.of("heads.json")));
  }

  @Test
  void computesLessThanDenseAndTheSameWhereTheBudgetIsEnough() {
    HeadsConfig all =
        HeadsConfig.uniform(Heads.MODEL, "a-shape", Map.of("sink", 0, "local", TOKENS));
    HeadsConfig dense = HeadsConfig.uniform(Heads.MODEL, "dense", Map.of());
    try (Arena arena = Arena.ofShared()) {
      Layer layer = layer(arena);
      assertTrue(density(Heads.inCode(), layer) < 0.8);
      assertEquals(1, density(all, layer));
      MemorySegment computed = copy(layer.out(), arena);
      assertEquals(1, density(dense, layer));
      assertTrue(Application.greatestDifference(computed, layer.out().memory()) <= ROUNDING);
    }
  }

  @Test
  void aChunkGivesTheRowsOfTheWhole() {
    HeadsConfig heads =
        HeadsConfig.uniform(Heads.MODEL, "a-shape", Map.of("sink", 64, "local", 512));
    int queries = TOKENS / 4;
    try (Arena arena = Arena.ofShared()) {
      Layer whole = layer(arena);
      Layer chunk = whole.chunk(queries, arena);
      density(heads, whole);
      density(heads, chunk);
      long head = (long) TOKENS * Heads.MODEL.headDim() * Float.BYTES;
      long rows = (long) queries * Heads.MODEL.headDim() * Float.BYTES;
      for (int i = 0; i < Heads.MODEL.queryHeads(); i++) {
        double difference =
            Application.greatestDifference(
                chunk.out().memory().asSlice(i * rows, rows),
                whole.out().memory().asSlice((i + 1) * head - rows, rows));
        assertTrue(difference <= ROUNDING, "head " + i + " differs by " + difference);
      }
    }
  }

  private static Layer layer(Arena arena) {
    return Layer.random(Heads.MODEL, TOKENS, arena, new Random(7));
  }

  private static MemorySegment copy(HeadTensor tensor, Arena arena) {
    return arena.allocate(tensor.memory().byteSize(), 8).copyFrom(tensor.memory());
  }

  private static double density(HeadsConfig heads, Layer layer) {
    try (SparseAttention attention =
        SparseAttention.builder().heads(heads).backend("vector").build()) {
      return Calls.onHostMemory(attention, 0, layer).density();
    }
  }
}
