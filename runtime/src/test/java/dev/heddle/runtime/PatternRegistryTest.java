package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.api.Option;
import dev.heddle.api.SparsePattern;
import dev.heddle.runtime.PatternRegistry.Entry;
import dev.heddle.runtime.PatternRegistry.Refusal;
import dev.heddle.runtime.PatternSource.Candidate;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PatternRegistryTest {
  @Test
  void withoutDiscoveryThereIsOnlyDense() {
    PatternRegistry registry = PatternRegistry.builder().build();

    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsOnly("dense");
    assertThat(registry.entries()).extracting(Entry::source).containsOnly("built in");
    assertThat(registry.get("dense").options()).isEmpty();
  }

  @Test
  void listsPatternsByName() {
    PatternRegistry registry =
        PatternRegistry.builder()
            .add(FakePattern.named("wide"))
            .add(FakePattern.named("a-first"))
            .build();

    assertThat(registry.entries())
        .extracting(entry -> entry.pattern().name())
        .containsExactly("a-first", "dense", "wide");
    assertThat(registry.get("wide").name()).isEqualTo("wide");
  }

  @Test
  void anUnknownNameIsAnErrorThatListsTheKnownOnes() {
    PatternRegistry registry =
        PatternRegistry.builder()
            .add(FakePattern.named("wide"))
            .from(source("broken.jar", failing(new IllegalStateException("no licence"))))
            .build();

    assertThatThrownBy(() -> registry.get("wyde"))
        .isInstanceOf(UnknownPatternException.class)
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "no pattern is called \"wyde\"; there are: dense from built in;"
                + " wide from added in code (dev.heddle.runtime.FakePattern)."
                + " Refused: broken.jar: java.lang.IllegalStateException: no licence."
                + " Correct the name, or put the module that provides it on the module path"
                + " or into the plugins' folder");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "Wide", "wide_one", "wide--one", "-wide", "1wide", "wide ", "w\u00EFde"})
  void namesThatAreNotKebabCaseAreRefused(String name) {
    PatternRegistry registry =
        PatternRegistry.builder().from(source("odd.jar", () -> FakePattern.named(name))).build();

    assertThat(registry.entries()).hasSize(1);
    assertThat(registry.refusals())
        .singleElement()
        .satisfies(refusal -> {
          assertThat(refusal.source()).isEqualTo("odd.jar");
          assertThat(refusal.reason()).contains("lower-case words joined by dashes");
        });
    assertThatThrownBy(() -> PatternRegistry.builder().add(FakePattern.named(name)).build())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("added in code", "lower-case words joined by dashes");
  }

  @Test
  void theNameDenseIsReserved() {
    PatternRegistry registry =
        PatternRegistry.builder().from(source("d.jar", () -> FakePattern.named("dense"))).build();

    assertThat(registry.refusals())
        .containsExactly(
            new Refusal("d.jar", "the name \"dense\" is reserved for the built-in pattern"));
    assertThat(registry.get("dense")).isInstanceOf(DensePattern.class);
  }

  @Test
  void optionsDeclaredTwiceAreRefused() {
    Option<Integer> option = Option.tokens("size", 1, 1, "First.");
    Option<Integer> again = Option.tokens("size", 2, 1, "Second.");
    FakePattern pattern =
        new FakePattern(
            "twice",
            List.of(option, again),
            (head, options) -> {
              throw new AssertionError();
            });

    PatternRegistry registry =
        PatternRegistry.builder().from(source("twice.jar", () -> pattern)).build();

    assertThat(registry.refusals())
        .containsExactly(new Refusal("twice.jar", "option 'size' is declared twice"));
  }

  @Test
  void aProviderThatThrowsFailsAlone() {
    PatternRegistry registry =
        PatternRegistry.builder()
            .from(source("throws.jar", failing(new IllegalArgumentException("bad\nsecond line"))))
            .from(source("old.jar", failing(new NoSuchMethodError("index(HeadInputs)"))))
            .from(source("asserts.jar", failing(new AssertionError("never"))))
            .from(source("good.jar", () -> FakePattern.named("good")))
            .build();

    assertThat(registry.get("good").name()).isEqualTo("good");
    assertThat(registry.refusals())
        .containsExactly(
            new Refusal("throws.jar", "java.lang.IllegalArgumentException: bad"),
            new Refusal(
                "old.jar",
                "it does not fit this version of Heddle or of the JVM:"
                    + " java.lang.NoSuchMethodError: index(HeadInputs)"),
            new Refusal("asserts.jar", "java.lang.AssertionError: never"));
  }

  @Test
  void ofTwoFoundPatternsWithOneNameNeitherIsUsed() {
    PatternRegistry registry =
        PatternRegistry.builder()
            .from(source("one.jar", () -> FakePattern.named("same")))
            .from(source("two.jar", () -> FakePattern.named("same")))
            .from(source("three.jar", () -> FakePattern.named("other")))
            .build();

    assertThat(registry.get("other").name()).isEqualTo("other");
    assertThat(registry.refusals())
        .extracting(Refusal::source)
        .containsExactly("one.jar", "two.jar");
    assertThat(registry.refusals())
        .allSatisfy(refusal ->
            assertThat(refusal.reason())
                .isEqualTo("several patterns are called \"same\": one.jar; two.jar"));
    assertThatThrownBy(() -> registry.get("same"))
        .isInstanceOf(UnknownPatternException.class)
        .hasMessage(
            "several patterns are called \"same\": one.jar; two.jar. Remove all but one of them");
  }

  @Test
  void aDuplicateOfAPatternAddedInCodeIsAnErrorAtOnce() {
    PatternRegistry.Builder builder =
        PatternRegistry.builder()
            .add(FakePattern.named("same"))
            .from(source("two.jar", () -> FakePattern.named("same")));

    assertThatThrownBy(builder::build)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("\"same\"", "added in code", "two.jar", "Remove all but one");
  }

  private static PatternSource source(String name, Supplier<SparsePattern> pattern) {
    return () -> List.of(Candidate.found(name, pattern));
  }

  private static Supplier<SparsePattern> failing(Throwable failure) {
    return () -> {
      switch (failure) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        default -> throw new IllegalArgumentException(failure);
      }
    };
  }
}
