package dev.heddle.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeadsConfigTest {
  private static final ModelShape SHAPE = new ModelShape(3, 8, 2, 64);

  @Test
  void aConfigurationBuiltInCodeEqualsTheFile(@TempDir Path folder) throws IOException {
    HeadsConfig fromFile = HeadsConfig.read(Resources.copy("every-option.json", folder));

    HeadsConfig inCode = everyOptionInCode();

    assertThat(inCode).isEqualTo(fromFile).hasSameHashCodeAs(fromFile);
    assertThat(fromFile.shape()).isEqualTo(SHAPE);
  }

  @Test
  void jsonReadsBackAsAnEqualConfiguration() {
    HeadsConfig config = everyOptionInCode();

    assertThat(HeadsConfig.parse(config.toJson(), "again.json")).isEqualTo(config);
  }

  @Test
  void jsonIsLaidOutForPeople() {
    HeadsConfig config =
        HeadsConfig.builder(new ModelShape(1, 2, 1, 8))
            .assign("0", "0,1", "a-shape", Map.of("sink", 4))
            .build();

    assertThat(config.toJson())
        .isEqualTo(
            """
            {
              "format": "heddle-heads/1",
              "shape": {"layers":1,"queryHeads":2,"keyValueHeads":1,"headDim":8},
              "heads": [
                {"layers":"0","heads":"0-1","pattern":"a-shape","options":{"sink":4}}
              ]
            }
            """);
  }

  @Test
  void uniformIsDefaultsWithoutEntries() {
    HeadsConfig config = HeadsConfig.uniform(SHAPE, "a-shape", Map.of("sink", 4));

    assertThat(config)
        .isEqualTo(HeadsConfig.builder(SHAPE).defaults("a-shape", Map.of("sink", 4)).build());
    assertThat(HeadsConfig.parse(config.toJson(), "u.json")).isEqualTo(config);
  }

  @Test
  void textThatSpellsAValueIsThatValue() {
    HeadsConfig text =
        HeadsConfig.uniform(SHAPE, "p", Map.of("a", "4", "b", "0.5", "c", "true", "d", " 7 "));
    HeadsConfig values =
        HeadsConfig.uniform(SHAPE, "p", Map.of("a", 4, "b", 0.5, "c", true, "d", 7L));

    assertThat(text).isEqualTo(values);
    assertThat(HeadsConfig.parse(text.toJson(), "t.json")).isEqualTo(text);
  }

  @Test
  void valuesOfOtherKindsAreRefused() {
    assertThatThrownBy(() -> HeadsConfig.uniform(SHAPE, "p", Map.of("a", Double.NaN)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("option 'a' is NaN; allowed: a finite number");
    assertThatThrownBy(() -> HeadsConfig.uniform(SHAPE, "p", Map.of("a", new AtomicInteger())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("option 'a'", "AtomicInteger", "allowed: a number");
  }

  @Test
  void errorsOfACodeBuiltConfigurationSayWhichEntry() {
    HeadsConfig.Builder builder = HeadsConfig.builder(SHAPE).assign("0", "0-7", "dense", Map.of());

    assertThatThrownBy(() -> builder.assign("1-3", "0", "dense", Map.of()))
        .isInstanceOf(HeadsFileException.class)
        .hasMessage(
            "heads configuration built in code: heads[1].layers:"
                + " 3 in \"1-3\" is out of range; allowed: 0 to 2");
    assertThatThrownBy(builder::build)
        .isInstanceOf(HeadsFileException.class)
        .hasMessageContaining("16 of 24 heads have no pattern, the first is layer 1, head 0");
  }

  @Test
  void equalityIsAboutWhatIsSaidAndNotAboutHow() {
    HeadsConfig ranges = HeadsConfig.builder(SHAPE).assign("0-2", "0-7", "dense", Map.of()).build();
    HeadsConfig numbers =
        HeadsConfig.builder(SHAPE).assign("2,0,1", "4-7,0-3", "dense", Map.of()).build();

    assertThat(ranges).isEqualTo(numbers).isNotEqualTo(everyOptionInCode());
  }

  @Test
  void aByteOrderMarkIsSkipped(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("marked.json");
    Files.writeString(file, "\uFEFF" + everyOptionInCode().toJson());

    assertThat(HeadsConfig.read(file)).isEqualTo(everyOptionInCode());
  }

  @Test
  void notesAreKeptAndAssignNothing() {
    HeadsConfig remarked =
        HeadsConfig.builder(new ModelShape(1, 2, 1, 8))
            .notes(Map.of("list", List.of(List.of(1, 2), List.of(0.5))))
            .assign("0", "0-1", "dense", Map.of())
            .entryNotes(Map.of("recall", 1))
            .build();
    HeadsConfig plain =
        HeadsConfig.builder(new ModelShape(1, 2, 1, 8))
            .assign("0", "0-1", "dense", Map.of())
            .build();

    assertThat(remarked).isEqualTo(plain).hasSameHashCodeAs(plain);
    assertThat(remarked.toJson())
        .isEqualTo(
            """
            {
              "format": "heddle-heads/1",
              "shape": {"layers":1,"queryHeads":2,"keyValueHeads":1,"headDim":8},
              "notes": {
                "list": [
                  [1,2],
                  [0.5]
                ]
              },
              "heads": [
                {"layers":"0","heads":"0-1","pattern":"dense","notes":{"recall":1}}
              ]
            }
            """);
    HeadsConfig again = HeadsConfig.parse(remarked.toJson(), "again.json");
    assertThat(again.notes()).isEqualTo(remarked.notes());
    assertThat(again.entryNotes()).isEqualTo(remarked.entryNotes());
  }

  static HeadsConfig everyOptionInCode() {
    return HeadsConfig.builder(SHAPE)
        .defaults(
            "vertical-slash",
            Map.of("verticals", 512, "slashes", 1024, "probe-queries", 32, "sink", 16, "local", 64))
        .assign("0-1", "0-3,7", "a-shape", Map.of("sink", 64, "local", 512))
        .assign("2", "0", "block-sparse", Map.of("blocks", 12, "sink-blocks", 2))
        .assign("2", "1-2", "dense", Map.of())
        .build();
  }
}
