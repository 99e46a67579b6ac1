package dev.heddle.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.kernels.HeadWork;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.IntBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How host values are laid out for kernels: needs no device. */
class DeviceLayoutTest {
  private static final BlockShape BLOCKS = BlockShape.DEFAULT;

  @Test
  void tablesHoldSequencesHeadsAndOptions() {
    Option<Integer> sink = Option.tokens("sink", 3, 0, "first");
    Option<Double> share = Option.fraction("share", 0.5, "second");
    Option<Boolean> on = Option.flag("on", true, "third");
    Options options = Options.defaults(List.of(sink, share, on));
    GpuCall call =
        new GpuCall(
            layer(4, List.of(new GpuSequence(0, 10, 0, 20), new GpuSequence(10, 5, 20, 5))),
            List.of(new GpuHead(3, options), new GpuHead(1, options.with(sink, 7))));
    IntBuffer table = CallTables.pack(call).asIntBuffer();
    int[] ints = new int[table.remaining()];
    table.get(ints);
    int half = Float.floatToRawIntBits(0.5f);
    assertThat(ints)
        .startsWith(0, 10, 0, 20, 10, 5, 20, 5, /* heads */ 3, 1, 3, half, 1, 7, half, 1)
        .hasSize(64 / 4);
    assertThat(CallTables.bytes(call)).isEqualTo(64 + 448);
  }

  @Test
  void hostIndicesBecomeRowsOfSequenceHeadAndQueryBlock() {
    // Two sequences of 2 and 1 query blocks, two heads.
    AttentionShape longer = new AttentionShape(2, 1, 200, 200, 64);
    AttentionShape shorter = new AttentionShape(2, 1, 100, 100, 64);
    BlockIndex first =
        BlockIndex.of(longer, BLOCKS, new int[][] {{0}, {0, 64}}, new int[][] {{}, {150}});
    BlockIndex second = BlockIndex.of(shorter, BLOCKS, new int[][] {{0}}, new int[][] {{70, 71}});
    BlockIndex third = BlockIndex.dense(longer, BLOCKS);
    BlockIndex fourth = BlockIndex.of(shorter, BLOCKS, new int[][] {{}}, new int[][] {{0}});
    Options none = Options.defaults(List.of());
    GpuCall call =
        new GpuCall(
            layer(2, List.of(GpuSequence.whole(200, 200), new GpuSequence(200, 100, 200, 100))),
            List.of(new GpuHead(0, none), new GpuHead(1, none)));
    HostIndexRows rows =
        HostIndexRows.of(call, List.of(List.of(first, second), List.of(third, fourth)));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blockOffsets = arena.allocate(ValueLayout.JAVA_LONG, 9);
      MemorySegment columnOffsets = arena.allocate(ValueLayout.JAVA_LONG, 9);
      MemorySegment blocks = arena.allocate(ValueLayout.JAVA_INT, rows.blockCount());
      MemorySegment columns = arena.allocate(ValueLayout.JAVA_INT, rows.columnCount());
      rows.fill(blockOffsets, blocks, columnOffsets, columns);
      assertThat(blockOffsets.toArray(ValueLayout.JAVA_LONG))
          .containsExactly(0, 1, 3, 5, 9, 10, 10, 10, 10);
      assertThat(blocks.toArray(ValueLayout.JAVA_INT))
          .containsExactly(0, 0, 64, 0, 64, 0, 64, 128, 192, 0);
      assertThat(columnOffsets.toArray(ValueLayout.JAVA_LONG))
          .containsExactly(0, 0, 1, 1, 1, 3, 3, 4, 4);
      assertThat(columns.toArray(ValueLayout.JAVA_INT)).containsExactly(150, 70, 71, 0);
    }
  }

  @Test
  void rowsOfAnyStridesAreGatheredPaddedAndScatteredBack() {
    for (boolean interleaved : new boolean[] {true, false}) {
      short[] numbers = new short[3 * 5 * 6];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (short) (i + 1);
      }
      MemorySegment memory = MemorySegment.ofArray(numbers);
      HeadTensor host =
          interleaved
              ? HeadTensor.interleaved(memory, ElementType.FLOAT16, 3, 5, 6)
              : HeadTensor.contiguous(memory, ElementType.FLOAT16, 3, 5, 6);
      HostTransfer.Rows rows = new HostTransfer.Rows(host, 8);
      short[] device = new short[15 * 8];
      // In two pieces, the second of which begins inside a head.
      rows.gather(0, 7, MemorySegment.ofArray(device));
      rows.gather(7, 8, MemorySegment.ofArray(device).asSlice(7 * 8 * 2));
      for (int row = 0; row < 15; row++) {
        for (int dim = 0; dim < 8; dim++) {
          int head = row / 5;
          int token = row % 5;
          int place = interleaved ? (token * 3 + head) * 6 + dim : row * 6 + dim;
          assertThat(device[row * 8 + dim]).isEqualTo(dim < 6 ? numbers[place] : 0);
        }
      }
      short[] back = new short[numbers.length];
      MemorySegment backMemory = MemorySegment.ofArray(back);
      HeadTensor target =
          new HeadTensor(backMemory, host.type(), 3, 5, 6, host.headStride(), host.tokenStride());
      new HostTransfer.Rows(target, 8).scatter(MemorySegment.ofArray(device), 0, 15);
      assertThat(back).isEqualTo(numbers);
    }
  }

  @Test
  void aPlanRefusesWhatDoesNotFit() {
    GpuLayer layer = layer(2, List.of(GpuSequence.whole(100, 100)));
    AttentionShape shape = new AttentionShape(2, 1, 100, 100, 64);
    HeadWork dense = new HeadWork.Indexed(List.of(BlockIndex.dense(shape, BLOCKS)));
    assertThatThrownBy(() -> LayerPlan.of(layer, List.of(dense)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("1 heads of work for 2 query heads");
    HeadWork two =
        new HeadWork.Indexed(
            IntStream.range(0, 2).mapToObj(i -> BlockIndex.dense(shape, BLOCKS)).toList());
    assertThatThrownBy(() -> LayerPlan.of(layer, List.of(dense, two)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("head 1 has 2 indices for 1 sequences");
    BlockShape otherBlocks = new BlockShape(64, 64);
    BlockIndex other =
        BlockIndex.of(shape, otherBlocks, new int[][] {{0}, {0}}, new int[][] {{}, {}});
    assertThatThrownBy(
            () -> LayerPlan.of(layer, List.of(dense, new HeadWork.Indexed(List.of(other)))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("head 1: an index for")
        .hasMessageContaining("does not suit");
  }

  private static GpuLayer layer(int queryHeads, List<GpuSequence> sequences) {
    int queries = sequences.stream().mapToInt(GpuSequence::queryTokens).sum();
    int keys = sequences.stream().mapToInt(GpuSequence::keyTokens).sum();
    GpuTensor q = GpuTensor.contiguous(256, ElementType.FLOAT16, queryHeads, queries, 64);
    GpuTensor k = GpuTensor.contiguous(512, ElementType.FLOAT16, 1, keys, 64);
    return new GpuLayer(q, k, k, q, 0, 0.125f, BLOCKS, sequences);
  }
}
