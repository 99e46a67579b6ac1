package dev.heddle.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.heddle.api.InvalidInputException;
import dev.heddle.search.SearchState.HeadRecord;
import dev.heddle.search.SearchState.Header;
import dev.heddle.search.SearchState.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchStateTest {
  private static final KernelCosts COSTS =
      new KernelCosts(1, 2.5, 0.1, new TreeMap<>(Map.of("a-shape", 0.25)));

  @TempDir private Path folder;
  private Path file = Path.of("");
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void write() {
    file = folder.resolve("heads.json.state");
    try (SearchState state = SearchState.start(file, new Header("this", COSTS))) {
      for (int head = 0; head < 3; head++) {
        state.add(head(head));
      }
    }
  }

  @Test
  void goesOnWhereItWas() {
    try (SearchState state = resume().orElseThrow()) {
      assertThat(state.costs()).isEqualTo(COSTS);
      assertThat(state.get(new Place(0, 1, 2))).contains(head(2));
      assertThat(state.get(new Place(0, 1, 3))).isEmpty();
      state.add(head(3));
    }
    try (SearchState state = resume().orElseThrow()) {
      assertThat(state.get(new Place(0, 1, 3))).contains(head(3));
    }
    assertThat(notes).isEmpty();
  }

  @Test
  void weightsAreKeptToo() {
    HeadWeight weight = new HeadWeight(1, 2, 0.1, 0.2, 0.001, 0.0025);
    try (SearchState state = resume().orElseThrow()) {
      assertThat(state.weight(1, 2)).isEmpty();
      state.add(weight);
    }
    try (SearchState state = resume().orElseThrow()) {
      assertThat(state.weight(1, 2)).contains(weight);
      assertThat(state.get(new Place(0, 1, 2))).contains(head(2));
    }
    assertThat(weight.spreadWeight()).isCloseTo(0.1, within(1e-12));
    assertThat(weight.answerWeight()).isCloseTo(0.0625, within(1e-12));
  }

  /** The process may end at any byte: what lies before the line that it was writing is there. */
  @Test
  void whereverItIsCutOffOnlyTheLastHeadIsLost() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    int lines = 0;
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      lines += length > 0 && whole[length - 1] == '\n' ? 1 : 0;
      Optional<SearchState> state = resume();
      assertThat(state.isPresent()).isEqualTo(lines > 0);
      for (int head = 0; head < 3 && state.isPresent(); head++) {
        assertThat(state.get().get(new Place(0, 1, head)).isPresent()).isEqualTo(head < lines - 1);
      }
      state.ifPresent(SearchState::close);
    }
    assertThat(notes).isNotEmpty().allMatch(note -> note.contains("cut off"));
    assertThat(folder.toFile().list()).containsExactly("heads.json.state");
  }

  @Test
  void whatIsDamagedIsReportedAndSetAside() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);

    assertThat(resume()).isEmpty();

    assertThat(notes).hasSize(1);
    assertThat(notes.getFirst())
        .contains(file.toString(), "is damaged at line", "set aside as heads.json.state.damaged");
    assertThat(folder.resolve("heads.json.state.damaged")).hasBinaryContent(bytes);
    assertThat(file).doesNotExist();
  }

  @Test
  void whatWasSetAsideBeforeStays() throws IOException {
    for (int i = 0; i < 3; i++) {
      Files.writeString(file, "no state " + i + "\n");
      assertThat(resume()).isEmpty();
    }
    assertThat(folder.toFile().list())
        .containsExactlyInAnyOrder(
            "heads.json.state.damaged", "heads.json.state.damaged2", "heads.json.state.damaged3");
  }

  @Test
  void anotherSearchIsRefused() {
    assertThatThrownBy(() -> SearchState.resume(file, "other", Optional.empty(), notes::add))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is the state of another search");
    KernelCosts others = new KernelCosts(1, 2.5, 0.2, COSTS.indexNanosPerToken());
    assertThatThrownBy(() -> SearchState.resume(file, "this", Optional.of(others), notes::add))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is the state of a search with other costs");
    assertThat(file).exists();
  }

  @Test
  void theSameCostsMayBeGivenAgain() {
    try (SearchState state =
        SearchState.resume(file, "this", Optional.of(COSTS), notes::add).orElseThrow()) {
      assertThat(state.get(new Place(0, 1, 2))).contains(head(2));
    }
  }

  @Test
  void aFolderThatIsNotThereIsReported() {
    Path nowhere = folder.resolve("none/heads.state");
    assertThatThrownBy(() -> SearchState.start(nowhere, new Header("this", COSTS)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("cannot be written");
  }

  private Optional<SearchState> resume() {
    return SearchState.resume(file, "this", Optional.empty(), notes::add);
  }

  private static HeadRecord head(int head) {
    return new HeadRecord(
        new Place(0, 1, head),
        1e6,
        List.of(
            new Measured(
                "a-shape", Map.of("sink", 4, "share", 0.5), 12.5, 0.1, 0.2, 0.3, 0.9, 0.8)));
  }
}
