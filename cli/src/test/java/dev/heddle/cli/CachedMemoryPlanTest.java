package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.llm.CacheKind;
import dev.heddle.llm.CachePlan;
import dev.heddle.llm.CachePlan.Choice;
import dev.heddle.llm.MemoryEstimate;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CachedMemoryPlanTest {
  private static final long GIBIBYTE = 1L << 30;

  private static final List<Choice> CHOICES =
      List.of(
          new Choice(CacheKind.DEVICE, new MemoryEstimate(7 * GIBIBYTE, GIBIBYTE), 0),
          new Choice(CacheKind.DEVICE_FP8, new MemoryEstimate(4 * GIBIBYTE, GIBIBYTE), 0),
          new Choice(CacheKind.HOST, new MemoryEstimate(GIBIBYTE, GIBIBYTE), 7 * GIBIBYTE));

  private static CachedMemoryPlan plan(long gibibytes) {
    CachePlan caches = new CachePlan(CHOICES, gibibytes * GIBIBYTE, 100 * GIBIBYTE);
    return new CachedMemoryPlan(
        MemoryPlan.of(1000, 10, caches.nearest().needed(), caches.availableBytes()), caches);
  }

  private static String printed(Result result) {
    StringWriter text = new StringWriter();
    result.print(new Console(new PrintWriter(text), new PrintWriter(new StringWriter()), false));
    return text.toString();
  }

  @Test
  void everyKindIsListedWithWhatItNeeds() {
    assertThat(printed(plan(6)).lines())
        .containsExactly(
            "1,000 tokens and 10 new ones need 5.00 GiB beside the weights: 4.00 for keys and values,"
                + " 1.00 to compute; 6.00 GiB are free: it fits",
            "  device      keys and values on the GPU in 16 bits: 8.00 GiB: does not fit",
            "  device-fp8  keys and values on the GPU in 8-bit floats: 5.00 GiB: is taken",
            "  host        keys and values in the machine's memory: 2.00 GiB and 7.00 of the"
                + " machine's 100.00: would fit");
  }

  @Test
  void nothingIsTakenWhereNothingFits() {
    CachedMemoryPlan plan = plan(1);
    assertThat(plan.succeeded()).isFalse();
    assertThat(printed(plan))
        .contains("1.00 GiB are free: it does not fit")
        .doesNotContain("taken");
    assertThat(plan.json()).containsEntry("fits", false).doesNotContainKey("kvCache");
  }

  @Test
  void theSameIsInJson() {
    Map<String, Object> json = plan(3).json();
    assertThat(json)
        .containsEntry("kvCache", "host")
        .containsEntry("fits", true)
        .containsEntry("keyValueBytes", GIBIBYTE)
        .containsEntry("freeHostBytes", 100 * GIBIBYTE);
    assertThat((List<?>) json.get("kvCaches")).hasSize(3);
  }
}
