package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.AttentionPlan.Assignment;
import dev.heddle.runtime.PatternRegistry.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttentionPlanTest {
  private static final PatternRegistry REGISTRY = PatternRegistry.discover();

  @Test
  void oneFileUsesEveryOptionOfEveryPattern(@TempDir Path folder) throws IOException {
    AttentionPlan plan =
        AttentionPlan.resolve(
            HeadsConfig.read(Resources.copy("every-option.json", folder)), REGISTRY);

    assertThat(optionsChanged(plan)).isEqualTo(optionsDeclared());
    assertThat(describe(plan.assignment(0, 7))).isEqualTo("a-shape sink=64 local=512");
    assertThat(describe(plan.assignment(1, 4)))
        .isEqualTo("vertical-slash verticals=512 slashes=1024 probe-queries=32 sink=16 local=64");
    assertThat(describe(plan.assignment(2, 0))).isEqualTo("block-sparse blocks=12 sink-blocks=2");
    assertThat(describe(plan.assignment(2, 2))).isEqualTo("dense ");
    assertThat(describe(plan.assignment(2, 3))).startsWith("vertical-slash");
  }

  @Test
  void codeAndFileGiveOnePlan(@TempDir Path folder) throws IOException {
    AttentionPlan fromFile =
        AttentionPlan.resolve(
            HeadsConfig.read(Resources.copy("every-option.json", folder)), REGISTRY);
    AttentionPlan inCode = AttentionPlan.resolve(HeadsConfigTest.everyOptionInCode(), REGISTRY);

    assertThat(inCode.assignments()).isEqualTo(fromFile.assignments()).hasSize(4);
    for (int layer = 0; layer < 3; layer++) {
      for (int head = 0; head < 8; head++) {
        assertThat(inCode.assignment(layer, head)).isEqualTo(fromFile.assignment(layer, head));
      }
    }
  }

  @Test
  void equalAssignmentsAreOneInstance() {
    HeadsConfig config =
        HeadsConfig.builder(new ModelShape(2, 4, 1, 8))
            .defaults("a-shape", Map.of())
            .assign("0", "1", "a-shape", Map.of("sink", 128, "local", 1024)) // the defaults
            .assign("1", "2", "a-shape", Map.of("sink", 64))
            .build();

    AttentionPlan plan = AttentionPlan.resolve(config, REGISTRY);

    assertThat(plan.assignments()).hasSize(2);
    assertThat(plan.assignment(0, 1)).isSameAs(plan.assignment(1, 3));
    assertThat(plan.assignment(1, 2)).isNotEqualTo(plan.assignment(1, 3));
    assertThat(plan.shape()).isEqualTo(new ModelShape(2, 4, 1, 8));
  }

  @Test
  void layersAndHeadsAreChecked() {
    AttentionPlan plan =
        AttentionPlan.resolve(
            HeadsConfig.uniform(new ModelShape(2, 4, 1, 8), "dense", Map.of()), REGISTRY);

    assertThatThrownBy(() -> plan.assignment(2, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("layer is 2; allowed: 0 to 1");
    assertThatThrownBy(() -> plan.assignment(0, -1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("head is -1; allowed: 0 to 3");
  }

  @Test
  void aBadOptionInCodeIsNamedWithItsPlace() {
    HeadsConfig config =
        HeadsConfig.uniform(new ModelShape(1, 1, 1, 8), "a-shape", Map.of("sink", "many"));

    assertThatThrownBy(() -> AttentionPlan.resolve(config, REGISTRY))
        .isInstanceOf(HeadsFileException.class)
        .hasMessage(
            "heads configuration built in code: defaults.options.sink:"
                + " is the text \"many\"; allowed: an integer from 0 (tokens)");
  }

  private static Set<String> optionsDeclared() {
    return REGISTRY.entries().stream()
        .map(Entry::pattern)
        .flatMap(pattern -> pattern.options().stream().map(option -> key(pattern, option)))
        .collect(Collectors.toSet());
  }

  /** The options of which some head has a value other than the default. */
  private static Set<String> optionsChanged(AttentionPlan plan) {
    return plan.assignments().stream()
        .flatMap(assignment ->
            assignment.pattern().options().stream()
                .filter(option -> isChanged(assignment, option))
                .map(option -> key(assignment.pattern(), option)))
        .collect(Collectors.toSet());
  }

  private static boolean isChanged(Assignment assignment, Option<?> option) {
    return !option.defaultValue().equals(assignment.options().toMap().get(option.name()));
  }

  private static String key(SparsePattern pattern, Option<?> option) {
    return pattern.name() + "." + option.name();
  }

  private static String describe(Assignment assignment) {
    return assignment.pattern().name() + " " + assignment.options();
  }
}
