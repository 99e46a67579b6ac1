package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import java.util.List;

/** Attention by a pattern's index on the processor's backends that this JVM can run. */
record ProcessorChecks(Backends backends) {
  /** In every element type. */
  void assertAttentionKeepsTheRule(PatternCase tried) {
    for (ElementType type : ElementType.values()) {
      TestLayer layer = tried.layer(type, Layout.CONTIGUOUS);
      NumericalRule rule = new NumericalRule(layer, tried.indices(layer));
      for (BackendProvider provider : runnable()) {
        HeadTensor out = attend(provider, layer, rule.indices());
        rule.assertKept(out, "%s backend, %s: %s".formatted(provider.name(), type, tried));
      }
    }
  }

  /** {@code vector} needs a module that the JVM of a pattern's tests may lack. */
  private List<BackendProvider> runnable() {
    List<BackendProvider> found =
        backends.providers().stream()
            .filter(provider -> List.of("reference", "vector").contains(provider.name()))
            .filter(provider -> provider.availability() instanceof Available)
            .toList();
    assertThat(found).as("backends that can run here").isNotEmpty();
    return found;
  }

  private static HeadTensor attend(
      BackendProvider provider, TestLayer layer, List<BlockIndex> indices) {
    AttentionShape shape = layer.shape();
    HeadTensor out =
        Layout.CONTIGUOUS.allocate(
            layer.queries().type(), shape.queryHeads(), shape.queryTokens(), shape.headDim());
    try (AttentionBackend backend = provider.open(1)) {
      backend.attend(layer.call(indices, out));
    }
    return out;
  }
}
