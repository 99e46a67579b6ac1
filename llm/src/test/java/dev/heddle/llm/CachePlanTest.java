package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.CachePlan.Choice;
import dev.heddle.llm.DeviceKeyValueCache.Layer;
import dev.heddle.runtime.ModelShape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which kind of cache is taken, what each takes, and where it puts things. */
class CachePlanTest {
  private static final long GIBIBYTE = 1L << 30;

  /** 8, 5 and 2 GiB on the device, and 7 on the host for the last. */
  private static final List<Choice> CHOICES =
      List.of(
          new Choice(CacheKind.DEVICE, new MemoryEstimate(7 * GIBIBYTE, GIBIBYTE), 0),
          new Choice(CacheKind.DEVICE_FP8, new MemoryEstimate(4 * GIBIBYTE, GIBIBYTE), 0),
          new Choice(CacheKind.HOST, new MemoryEstimate(GIBIBYTE, GIBIBYTE), 7 * GIBIBYTE));

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "80, 100, DEVICE",
    "8, 0, DEVICE",
    "7, 100, DEVICE_FP8",
    "5, 100, DEVICE_FP8",
    "4, 100, HOST",
    "2, 7, HOST"
  })
  void theFirstThatFitsIsTaken(long gibibytes, long hostGibibytes, CacheKind expected) {
    CachePlan plan = new CachePlan(CHOICES, gibibytes * GIBIBYTE, hostGibibytes * GIBIBYTE);
    assertThat(plan.taken().orElseThrow().kind()).isEqualTo(expected);
    assertThat(plan.nearest()).isEqualTo(plan.taken().orElseThrow());
    assertThat(plan.require("it").kind()).isEqualTo(expected);
  }

  @Test
  void whatFitsNowhereIsRefusedWithAllNeeds() {
    assertThatThrownBy(() -> new CachePlan(CHOICES, GIBIBYTE, 99 * GIBIBYTE).require("a prompt"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "a prompt needs 2.00 GiB of memory (1.00 for keys and values, 1.00 to compute), but"
                + " 1.00 GiB may be used; allowed: a shorter text, or more memory (with keys and"
                + " values 8.00 on the GPU in 16 bits, 5.00 on the GPU in 8-bit floats)");
    assertThatThrownBy(() -> new CachePlan(CHOICES, 3 * GIBIBYTE, GIBIBYTE).require("a prompt"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "a prompt needs 7.00 GiB of the machine's memory for keys and values, but 1.00 GiB may"
                + " be used; allowed: a shorter text, or more memory (with keys and values 8.00 on"
                + " the GPU in 16 bits, 5.00 on the GPU in 8-bit floats)");
    CachePlan one = new CachePlan(CHOICES.subList(0, 1), 7 * GIBIBYTE, GIBIBYTE);
    assertThat(one.nearest().kind()).isEqualTo(CacheKind.DEVICE);
    assertThatThrownBy(() -> one.require("a prompt"))
        .hasMessageEndingWith("but 7.00 GiB may be used; allowed: a shorter text, or more memory");
  }

  @Test
  void kindsAreReadByName() {
    assertThat(CacheKind.parse("auto")).isEmpty();
    assertThat(CacheKind.parse("device-fp8")).contains(CacheKind.DEVICE_FP8);
    assertThatThrownBy(() -> CacheKind.parse("int4"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "the cache kind 'int4' is not known; allowed: auto, device, device-fp8, host, host-fp8");
  }

  /** Llama 3 8B at 131,072 tokens: 16 GiB in 16 bits; what others save is what they are for. */
  @Test
  void smallerKindsAreSmaller() {
    ModelShape shape = KnownModel.named("llama-3-8b").config().attention();
    int tokens = 131_072;
    long layer = GIBIBYTE / 2;
    DeviceCacheSizes sizes = new DeviceCacheSizes(shape, ElementType.BFLOAT16);
    long scales = 2L * 8 * tokens * Float.BYTES;
    long narrow = layer / 2 + scales;
    assertThat(sizes.size(CacheKind.DEVICE, tokens)).isEqualTo(new CacheSize(32 * layer, 0));
    assertThat(sizes.size(CacheKind.DEVICE_FP8, tokens))
        .isEqualTo(new CacheSize(32 * narrow + layer, 0));
    assertThat(sizes.size(CacheKind.HOST, tokens)).isEqualTo(new CacheSize(2 * layer, 32 * layer));
    assertThat(sizes.size(CacheKind.HOST_FP8, tokens))
        .isEqualTo(new CacheSize(2 * narrow + layer, 32 * narrow));
    assertThat(sizes.bytes(tokens, false)).isEqualTo(layer);
  }

  @Test
  void anEngineTakesWhatItsMemoryAllows() {
    ModelConfig config = written();
    HostStream stream = new HostStream();
    try (WeightFiles files = WeightFiles.open(folder);
        DeviceEngine engine =
            DeviceEngine.open(
                config,
                LlamaModel.Settings.standard(),
                new WeightReader(files, config).read(),
                stream)) {
      CachePlanner planner = new CachePlanner(engine, Optional.empty());
      long activations = engine.activationBytes(100);
      MemoryEstimate preferred = new MemoryEstimate(engine.cacheBytes(100, true), activations);
      for (CacheKind kind : List.of(CacheKind.DEVICE, CacheKind.DEVICE_FP8, CacheKind.HOST)) {
        stream.withFree(engine.cacheSize(kind, 100).bytes() + activations);
        int live = stream.live();
        try (KeyValueCache cache = planner.open(preferred, 100)) {
          assertThat(cache.kind()).isEqualTo(kind);
          assertThat(cache.capacity()).isEqualTo(100);
        }
        assertThat(stream.live()).isEqualTo(live);
      }
      stream.withFree(10);
      assertThatThrownBy(() -> planner.open(preferred, 100))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith("a cache of 100 tokens needs 0.00 GiB of memory");
      CachePlanner named = new CachePlanner(engine, Optional.of(CacheKind.HOST));
      stream.withFree(1 << 30);
      assertThat(named.plan(preferred, 100).choices()).hasSize(1);
      try (KeyValueCache cache = named.open(preferred, 100)) {
        assertThat(cache.kind()).isEqualTo(CacheKind.HOST);
      }
    }
    assertThat(stream.live()).isZero();
  }

  /** On a device that is the process's memory copies are done at once. */
  @ParameterizedTest
  @EnumSource(
      value = CacheKind.class,
      names = {"DEVICE", "HOST"})
  void whatIsKeptIsFoundAgain(CacheKind kind) {
    ModelConfig config = written();
    int capacity = 10;
    try (WeightFiles files = WeightFiles.open(folder);
        HostStream stream = new HostStream();
        DeviceEngine engine =
            DeviceEngine.open(
                config,
                LlamaModel.Settings.standard(),
                new WeightReader(files, config).read(),
                stream);
        DeviceKeyValueCache cache = engine.newCache(kind, capacity)) {
      int width = config.attention().headDim();
      for (int[] pass : new int[][] {{0, 4}, {4, 1}, {5, 3}}) {
        for (int number = 0; number < config.attention().layers(); number++) {
          Layer layer = cache.open(number, false);
          for (int head = 0; head < config.attention().keyValueHeads(); head++) {
            MemorySegment keys = head(layer.keys(), head, width, capacity);
            MemorySegment values = head(layer.values(), head, width, capacity);
            for (int token = 0; token < pass[0]; token++) {
              short mark = mark(number, head, token);
              assertThat(keys.getAtIndex(ValueLayout.JAVA_SHORT, (long) token * width))
                  .isEqualTo(mark);
              assertThat(values.getAtIndex(ValueLayout.JAVA_SHORT, (long) token * width))
                  .isEqualTo((short) -mark);
            }
            for (int token = pass[0]; token < pass[0] + pass[1]; token++) {
              short mark = mark(number, head, token);
              keys.setAtIndex(ValueLayout.JAVA_SHORT, (long) token * width, mark);
              values.setAtIndex(ValueLayout.JAVA_SHORT, (long) token * width, (short) -mark);
            }
          }
          cache.keep(number, layer, Place.at(pass[0]), pass[1]);
        }
        cache.advance(pass[1]);
      }
    }
  }

  private static short mark(int layer, int head, int token) {
    return (short) (1 + layer * 1000 + head * 100 + token);
  }

  private static MemorySegment head(long address, int head, int width, int capacity) {
    long bytes = (long) width * capacity * Short.BYTES;
    return HostStream.memory(address + head * bytes, bytes);
  }

  private ModelConfig written() {
    new RandomModel("llama", ElementType.BFLOAT16, 2, 2)
        .with("num_hidden_layers", 5)
        .write(folder, 3);
    return ModelConfig.read(folder);
  }
}
