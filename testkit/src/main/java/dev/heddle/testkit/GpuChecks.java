package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heddle.api.AttentionLaunch;
import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.GpuKernels;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.HeadWork;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A pattern on the GPU of this machine. Where there is none, or the pattern's kernels cannot be
 * compiled here, the tests are skipped with the reason.
 */
final class GpuChecks implements AutoCloseable {
  /** A whole prompt, a chunk at an odd place, one query, and groups of 1, 4 and 8. */
  static final List<AttentionShape> SHAPES =
      List.of(
          new AttentionShape(4, 1, 300, 300, 64),
          new AttentionShape(2, 2, 130, 701, 40),
          new AttentionShape(8, 1, 1, 413, 128));

  private final AttentionBackend backend;
  private final GpuAttention gpu;

  private GpuChecks(AttentionBackend backend, GpuAttention gpu) {
    this.backend = backend;
    this.gpu = gpu;
  }

  /** Opens the GPU, or skips the test. */
  static GpuChecks open(Backends backends) {
    BackendProvider cuda =
        backends.providers().stream()
            .filter(provider -> provider.name().equals("cuda"))
            .findFirst()
            .orElseThrow();
    Availability availability = cuda.availability();
    String reason = availability instanceof Refused refused ? refused.reason() : "";
    assumeTrue(reason.isEmpty(), "no GPU to test on: " + reason);
    AttentionBackend backend = cuda.open(1);
    return new GpuChecks(backend, backend.gpu().orElseThrow());
  }

  /** One check of one case in one element type. */
  interface Check {
    void check(PatternCase tried, ElementType type);
  }

  /** Runs {@code check} with all options, shapes and element types. */
  void forEach(SparsePattern pattern, List<Options> optionsToTry, long seed, Check check) {
    for (Options options : optionsToTry) {
      for (AttentionShape shape : SHAPES) {
        for (ElementType type : ElementType.values()) {
          check.check(new PatternCase(pattern, options, shape, AttentionLaunch.BLOCKS, seed), type);
        }
      }
    }
  }

  /** The device's index is the host's, but for what rounding can move. */
  void assertIndexIsTheHosts(PatternCase tried, ElementType type) {
    TestLayer layer = tried.layer(type, Layout.CONTIGUOUS);
    List<BlockIndex> host = tried.indices(layer);
    Optional<List<BlockIndex>> device = deviceIndices(tried, layer, host);
    for (int head = 0; head < host.size() && device.isPresent(); head++) {
      new IndexAgreement(tried, layer, head)
          .assertAgree(host.get(head), device.get().get(head), type);
    }
  }

  /** The device's attention keeps the numerical rule, under the index that it computed by. */
  void assertAttentionKeepsTheRule(PatternCase tried, ElementType type) {
    TestLayer layer = tried.layer(type, Layout.CONTIGUOUS);
    List<BlockIndex> host = tried.indices(layer);
    AttentionShape shape = layer.shape();
    HeadTensor out =
        Layout.CONTIGUOUS.allocate(type, shape.queryHeads(), shape.queryTokens(), shape.headDim());
    gpu.attend(layer.call(host, out), AttentionLaunch.BLOCKS, work(tried, host));
    List<BlockIndex> indices = deviceIndices(tried, layer, host).orElse(host);
    new NumericalRule(layer, indices).assertKept(out, "on the GPU, %s: %s".formatted(type, tried));
  }

  /** Nothing where the pattern has no GPU half, or one that works its rows out as it goes. */
  private Optional<List<BlockIndex>> deviceIndices(
      PatternCase tried, TestLayer layer, List<BlockIndex> host) {
    if (tried.pattern().gpu().isEmpty()) {
      return Optional.empty();
    }
    AttentionShape shape = layer.shape();
    HeadTensor unwritten =
        Layout.CONTIGUOUS.allocate(
            layer.queries().type(), shape.queryHeads(), shape.queryTokens(), shape.headDim());
    List<BlockIndex> indices;
    try {
      indices = gpu.indices(layer.call(host, unwritten), AttentionLaunch.BLOCKS, work(tried, host));
    } catch (InvalidInputException storesNone) {
      assertThat(storesNone)
          .as("the index of the device: %s", tried)
          .hasMessageContaining("computed by its kernel");
      return Optional.empty();
    }
    return Optional.of(indices);
  }

  private List<HeadWork> work(PatternCase tried, List<BlockIndex> host) {
    Optional<GpuKernels> half = tried.pattern().gpu();
    if (half.isEmpty()) {
      return host.stream().<HeadWork>map(index -> new HeadWork.Indexed(List.of(index))).toList();
    }
    if (gpu.availability(half.get().source()) instanceof Refused(String reason, String remedy)) {
      assumeTrue(false, "the pattern's kernels cannot run here: " + reason + "; " + remedy);
    }
    return Collections.nCopies(host.size(), new HeadWork.OnDevice(half.get(), tried.options()));
  }

  @Override
  public void close() {
    backend.close();
  }
}
