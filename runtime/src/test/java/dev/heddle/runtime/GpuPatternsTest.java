package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadMatrix;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuReport;
import dev.heddle.kernels.HeadWork;
import dev.heddle.testkit.Layout;
import dev.heddle.testkit.TestLayer;
import dev.heddle.testkit.TestTensors;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The GPU halves of the patterns against their host halves and the reference backend. */
@Tag("gpu")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GpuPatternsTest {
  private static final List<AttentionShape> SHAPES =
      List.of(
          new AttentionShape(4, 4, 1000, 1000, 64),
          new AttentionShape(8, 2, 1023, 1023, 128),
          new AttentionShape(8, 1, 129, 1537, 96),
          new AttentionShape(2, 1, 1, 777, 128),
          new AttentionShape(2, 1, 65, 1100, 256),
          new AttentionShape(4, 2, 640, 640, 40));

  private final PatternRegistry registry = PatternRegistry.discover();
  private AttentionBackend cuda;
  private AttentionBackend reference;

  @BeforeAll
  void open() {
    BackendProvider provider = Backends.standard().providers().getFirst();
    String reason = provider.availability() instanceof Refused refused ? refused.reason() : "";
    assumeTrue(reason.isEmpty(), "no GPU to test on: " + reason);
    cuda = provider.open(1);
    reference = Backends.standard().open("reference", 1);
  }

  @AfterAll
  void close() {
    if (cuda != null) {
      cuda.close();
      reference.close();
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void aShape(ElementType type) {
    List<Map<String, Integer>> options =
        List.of(
            Map.of("sink", 10, "local", 100),
            Map.of("sink", 0, "local", 1),
            Map.of("sink", 128, "local", 257),
            Map.of("sink", 5000, "local", 1));
    for (AttentionShape shape : SHAPES) {
      Case one = new Case("a-shape", options, shape, type);
      one.assertAttention(one.hostIndices());
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void verticalSlash(ElementType type) {
    List<Map<String, Integer>> options =
        List.of(
            Map.of("verticals", 30, "slashes", 60, "sink", 4, "local", 20),
            Map.of("verticals", 100, "slashes", 10, "sink", 0, "local", 1),
            Map.of("verticals", 0, "slashes", 200, "probe-queries", 17),
            Map.of("verticals", 5000, "slashes", 10));
    for (AttentionShape shape : SHAPES) {
      Case one = new Case("vertical-slash", options, shape, type);
      List<BlockIndex> indices = one.deviceIndices();
      List<BlockIndex> expected = one.hostIndices();
      for (int head = 0; head < indices.size(); head++) {
        assertThat(listing(indices.get(head)))
            .as("%s, head %d", one, head)
            .isEqualTo(listing(expected.get(head)));
      }
      one.assertAttention(indices);
    }
  }

  @ParameterizedTest
  @EnumSource(ElementType.class)
  void blockSparse(ElementType type) {
    List<Map<String, Integer>> options =
        List.of(
            Map.of("blocks", 5, "sink-blocks", 1),
            Map.of("blocks", 1, "sink-blocks", 0),
            Map.of("blocks", 9, "sink-blocks", 3),
            Map.of("blocks", 500));
    for (AttentionShape shape : SHAPES) {
      Case one = new Case("block-sparse", options, shape, type);
      List<BlockIndex> indices = one.deviceIndices();
      List<BlockIndex> expected = one.hostIndices();
      for (int head = 0; head < indices.size(); head++) {
        BlockScores scores = new BlockScores(one.layer, head);
        for (int row = 0; row < indices.get(head).rows(); row++) {
          scores.assertSameWithinRounding(
              one + ", head " + head, row, indices.get(head), expected.get(head));
        }
      }
      one.assertAttention(indices);
    }
  }

  @Test
  void theFacadeRunsAllPatternsInOneCall() {
    AttentionShape shape = SHAPES.get(1);
    HeadsConfig heads =
        HeadsConfig.builder(new ModelShape(1, 8, 2, 128))
            .defaults("vertical-slash", Map.of("verticals", 50, "slashes", 60))
            .build();
    TestLayer layer =
        new TestTensors(4).rotaryLayer(shape, ElementType.FLOAT32, Layout.INTERLEAVED);
    List<PrefillReport> reports = new ArrayList<>();
    List<float[]> outs = new ArrayList<>();
    for (String backend : List.of("cuda", "vector")) {
      var out = Layout.CONTIGUOUS.allocate(ElementType.FLOAT32, 8, 1023, 128);
      try (SparseAttention attention =
          SparseAttention.builder().heads(heads).backend(backend).denseBelow(0).build()) {
        reports.add(attention.prefill(0, layer.queries(), layer.keys(), layer.values(), out));
      }
      float[] numbers = new float[8 * 1023 * 128];
      ElementType.FLOAT32.load(out.memory(), 0, numbers, 0, numbers.length);
      outs.add(numbers);
    }
    assertThat(reports.get(0).heads()).isEqualTo(reports.get(1).heads());
    // Both are float32 with errors far below this; a wrong key shows by far more.
    assertThat(outs.get(0))
        .containsExactly(outs.get(1), org.assertj.core.data.Offset.offset(1e-4f));
  }

  /** What an index lists, whether it was made dense or lists everything. */
  private static List<List<Integer>> listing(BlockIndex index) {
    return IntStream.range(0, index.rows())
        .mapToObj(row -> {
          List<Integer> keys = new ArrayList<>();
          IntStream.range(0, index.blockCount(row))
              .forEach(i -> keys.add(index.blockStart(row, i)));
          keys.add(-1);
          IntStream.range(0, index.columnCount(row)).forEach(i -> keys.add(index.column(row, i)));
          return keys;
        })
        .toList();
  }

  /** One layer whose heads take turns with the options. */
  private final class Case {
    private final String name;
    private final SparsePattern pattern;
    private final List<Options> options;
    private final TestLayer layer;

    Case(String name, List<Map<String, Integer>> given, AttentionShape shape, ElementType type) {
      this.pattern = registry.get(name);
      this.name = name + " " + type + " " + shape;
      this.layer = new TestTensors(shape.keyTokens()).rotaryLayer(shape, type, Layout.CONTIGUOUS);
      this.options =
          IntStream.range(0, shape.queryHeads())
              .mapToObj(head -> Options.of(pattern.options(), given.get(head % given.size())))
              .toList();
    }

    List<BlockIndex> hostIndices() {
      return IntStream.range(0, options.size())
          .mapToObj(head -> pattern.index(layer.head(head, BlockShape.DEFAULT), options.get(head)))
          .toList();
    }

    List<BlockIndex> deviceIndices() {
      return cuda.gpu().orElseThrow().indices(call(hostIndices()), BlockShape.DEFAULT, work());
    }

    /** Runs the pattern on the device and compares with the reference through {@code indices}. */
    void assertAttention(List<BlockIndex> indices) {
      AttentionCall call = call(indices);
      GpuReport report = cuda.gpu().orElseThrow().attend(call, BlockShape.DEFAULT, work());
      AttentionCall expected = call(indices);
      reference.attend(expected);
      double worst = 0;
      double greatest = 0;
      for (int head = 0; head < options.size(); head++) {
        assertThat(report.cells().get(head))
            .as("cells of %s, head %d", this, head)
            .isEqualTo(indices.get(head).cells());
        HeadMatrix out = call.out().head(head);
        HeadMatrix right = expected.out().head(head);
        for (int query = 0; query < out.tokens(); query++) {
          for (int dim = 0; dim < out.headDim(); dim++) {
            double error = Math.abs((double) out.get(query, dim) - right.get(query, dim));
            assertThat(error).as("%s, head %d, query %d", this, head, query).isNotNaN();
            worst = Math.max(worst, error);
            greatest = Math.max(greatest, Math.abs(right.get(query, dim)));
          }
        }
      }
      assertThat(worst).as(toString()).isLessThanOrEqualTo(allowed(greatest));
    }

    /**
     * Weights and outputs are rounded to the element type, once each, by both computations; float32
     * scores below 64 are off by at most headDim roundoffs each, which the exponential passes on.
     */
    private double allowed(double greatest) {
      double roundoff =
          switch (layer.queries().type()) {
            case FLOAT32 -> 0x1p-24;
            case FLOAT16 -> 0x1p-11;
            case BFLOAT16 -> 0x1p-8;
          };
      double ofScores = 2 * 64 * layer.shape().headDim() * 0x1p-24;
      return 4 * greatest * (4 * roundoff + ofScores);
    }

    private AttentionCall call(List<BlockIndex> indices) {
      AttentionShape shape = layer.shape();
      return new AttentionCall(
          shape,
          layer.queries(),
          layer.keys(),
          layer.values(),
          Layout.CONTIGUOUS.allocate(
              layer.queries().type(), shape.queryHeads(), shape.queryTokens(), shape.headDim()),
          MemorySegment.NULL,
          layer.softmaxScale(),
          indices);
    }

    private List<HeadWork> work() {
      return options.stream()
          .<HeadWork>map(of -> new HeadWork.OnDevice(pattern.gpu().orElseThrow(), of))
          .toList();
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** Block scores of one head in float64. */
  private static final class BlockScores {
    private final TestLayer layer;
    private final HeadMatrix queries;
    private final HeadMatrix keys;

    BlockScores(TestLayer layer, int head) {
      this.layer = layer;
      this.queries = layer.queries().head(head);
      this.keys = layer.keys().head(layer.shape().keyValueHead(head));
    }

    /** Blocks that only one of the two lists must score within rounding of the cut-off. */
    void assertSameWithinRounding(String name, int row, BlockIndex actual, BlockIndex expected) {
      List<Integer> ofActual = blocks(actual, row);
      List<Integer> ofExpected = blocks(expected, row);
      if (ofActual.equals(ofExpected)) {
        return;
      }
      assertThat(ofActual).as("%s, row %d", name, row).hasSameSizeAs(ofExpected);
      List<Integer> onlyActual = new ArrayList<>(ofActual);
      onlyActual.removeAll(ofExpected);
      List<Integer> onlyExpected = new ArrayList<>(ofExpected);
      onlyExpected.removeAll(ofActual);
      for (int i = 0; i < onlyActual.size(); i++) {
        for (int j = 0; j < onlyExpected.size(); j++) {
          double difference = score(row, onlyActual.get(i)) - score(row, onlyExpected.get(j));
          // Float32 sums of headDim products of means, of magnitude below 64.
          assertThat(Math.abs(difference))
              .as("%s, row %d: block %d for %d", name, row, onlyActual.get(i), onlyExpected.get(j))
              .isLessThan(2 * 64 * keys.headDim() * 0x1p-24);
        }
      }
    }

    private static List<Integer> blocks(BlockIndex index, int row) {
      return IntStream.range(0, index.blockCount(row))
          .mapToObj(i -> index.blockStart(row, i))
          .toList();
    }

    private double score(int row, int firstKey) {
      double sum = 0;
      for (int dim = 0; dim < keys.headDim(); dim++) {
        sum += mean(queries, 128 * row, 128, dim) * mean(keys, firstKey, 64, dim);
      }
      return sum * layer.softmaxScale();
    }

    private static double mean(HeadMatrix matrix, int first, int count, int dim) {
      int end = Math.min(first + count, matrix.tokens());
      double sum = 0;
      for (int token = first; token < end; token++) {
        sum += matrix.get(token, dim);
      }
      return sum / (end - first);
    }
  }
}
