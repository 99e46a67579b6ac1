package dev.heddle.pattern.verticalslash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.Options;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Memory and teams of a call on the GPU: needs no device. */
class VerticalSlashSizesTest {
  private static final Options DEFAULTS = Options.defaults(new VerticalSlashPattern().options());

  @Test
  void headsOfAGroupFormTeamsWithoutThoseThatKeepEverything() {
    Options all = DEFAULTS.with(VerticalSlashPattern.VERTICALS, 100_000);
    Options few = options(10, 20);
    // Groups of 8 query heads; the second head of the first group keeps everything.
    List<GpuHead> heads =
        IntStream.range(0, 9).mapToObj(i -> new GpuHead(15 - i, i == 8 ? all : few)).toList();
    GpuCall call = new GpuCall(layer(16, 2, ElementType.BFLOAT16, 1000, 1), heads);
    assertThat(ProbeTeams.of(call).teams())
        .containsExactly(
            new ProbeTeams.Team(0, List.of(0, 1, 2, 3)),
            new ProbeTeams.Team(0, List.of(4, 5, 6, 7)));
    assertThat(ProbeTeams.of(call).pack().toArray(ValueLayout.JAVA_INT))
        .containsExactly(0, 4, 0, 1, 2, 3, 0, 4, 4, 5, 6, 7);
  }

  @Test
  void aTeamHasAsManyMembersAsHaveTheirProbesInSharedMemory() {
    List<GpuHead> heads =
        IntStream.range(0, 5).mapToObj(i -> new GpuHead(i, options(1, 2))).toList();
    for (int sequences : new int[] {1, 2}) {
      ProbeTeams sixteenBits =
          ProbeTeams.of(new GpuCall(layer(5, 1, ElementType.FLOAT16, 500, sequences), heads));
      assertThat(sixteenBits.size()).isEqualTo(2 * sequences);
      assertThat(sixteenBits.mostMembers()).isEqualTo(3);
      ProbeTeams wide =
          ProbeTeams.of(new GpuCall(layer(5, 1, ElementType.FLOAT32, 500, sequences), heads));
      assertThat(wide.size()).isEqualTo(3 * sequences);
      assertThat(wide.mostMembers()).isEqualTo(2);
    }
    assertThat(ProbeTeams.of(new GpuCall(layer(5, 1, ElementType.FLOAT16, 2, 1), heads)).isEmpty())
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource({"1,256", "16384,256", "32768,512", "65535,512", "65536,512", "1048576,512"})
  void chunksGrowWithThePrompt(int tokens, int chunkKeys) {
    VerticalSlashSizes sizes = sizes(tokens, 1, options(1000, 6096));
    assertThat(sizes.chunkKeys()).isEqualTo(chunkKeys);
    assertThat(sizes.sumLength()).isBetween(tokens, tokens + chunkKeys - 1);
  }

  /** What is estimated holds the index that the host builds of clustered offsets. */
  @ParameterizedTest
  @CsvSource({"20000,30,800", "20000,1000,6096", "20000,3500,100", "3000,40,900", "129,3,50"})
  void theEstimateHoldsTheListsOfClusteredOffsets(int tokens, int verticals, int slashes) {
    AttentionShape shape = new AttentionShape(1, 1, tokens, tokens, 64);
    long seed = 7L * tokens + verticals;
    Random random = new Random(seed);
    int[] columns = random.ints(0, tokens).distinct().limit(verticals).sorted().toArray();
    int[] offsets =
        IntStream.concat(
                IntStream.range(0, slashes / 2),
                random
                    .ints(slashes / 2, tokens)
                    .flatMap(first -> IntStream.range(first, Math.min(tokens, first + 64))))
            .distinct()
            .limit(slashes)
            .sorted()
            .toArray();
    BlockIndex index = VerticalSlashIndexBuilder.list(shape, BlockShape.DEFAULT, columns, offsets);
    long entries = 0;
    for (int row = 0; row < index.rows(); row++) {
      entries += index.blockCount(row) + index.columnCount(row);
    }
    VerticalSlashSizes sizes = sizes(tokens, 1, options(verticals, slashes));
    assertThat(sizes.listEntries()).as("seed %d", seed).isGreaterThanOrEqualTo(entries);
  }

  /** A prompt of a million tokens is not refused for lists that it does not have. */
  @Test
  void theEstimateStaysReasonableAtAMillionTokens() {
    long gibibyte = 1L << 30;
    assertThat(sizes(1 << 20, 32, options(30, 800)).estimatedBytes()).isLessThan(4 * gibibyte);
    assertThat(sizes(1 << 20, 32, options(3500, 100)).estimatedBytes()).isLessThan(5 * gibibyte);
    assertThat(sizes(1 << 20, 32, options(1000, 6096)).estimatedBytes()).isLessThan(13 * gibibyte);
  }

  private static VerticalSlashSizes sizes(int tokens, int heads, Options options) {
    return new VerticalSlashSizes(
        new GpuCall(
            layer(heads, 1, ElementType.BFLOAT16, tokens, 1),
            IntStream.range(0, heads).mapToObj(head -> new GpuHead(head, options)).toList()));
  }

  private static Options options(int verticals, int slashes) {
    return DEFAULTS
        .with(VerticalSlashPattern.VERTICALS, verticals)
        .with(VerticalSlashPattern.SLASHES, slashes)
        .with(VerticalSlashPattern.SINK, 1)
        .with(VerticalSlashPattern.LOCAL, 1);
  }

  private static GpuLayer layer(
      int queryHeads, int keyValueHeads, ElementType type, int tokens, int sequences) {
    GpuTensor q = GpuTensor.contiguous(256, type, queryHeads, tokens * sequences, 128);
    GpuTensor k = GpuTensor.contiguous(512, type, keyValueHeads, tokens * sequences, 128);
    List<GpuSequence> batch =
        IntStream.range(0, sequences)
            .mapToObj(i -> new GpuSequence(i * tokens, tokens, i * tokens, tokens))
            .toList();
    return new GpuLayer(q, k, k, q, 0, 0.1f, BlockShape.DEFAULT, batch);
  }
}
