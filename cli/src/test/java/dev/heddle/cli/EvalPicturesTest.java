package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures of what evaluations and measurements of time have printed. */
class EvalPicturesTest {
  @TempDir private Path folder;

  @BeforeAll
  static void withoutAScreen() {
    Canvas.requireFonts();
  }

  @BeforeEach
  void write() throws IOException {
    write("eval.json", ReportSamples.text(ReportSamples.eval("models/some", "a/found.json")));
    write("attention.json", ReportSamples.text(ReportSamples.benchAttention()));
    write("prefill.json", ReportSamples.text(ReportSamples.benchPrefill()));
    write("search.json", ReportSamples.text(ReportSamples.search("models/some", 1, 2)));
    write(
        "facts.json",
        ReportSamples.text(ReportSamples.eval("m", "h")).replace("\"needle\"", "\"facts\""));
    write(
        "zero.json",
        ReportSamples.text(ReportSamples.benchPrefill())
            .replace("\"totalSeconds\":2.0", "\"totalSeconds\":0"));
    write("nothing.json", "{}");
    write("broken.json", "{\"format\": ");
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private EvalView view() throws IOException {
    return EvalView.of(JsonPlace.read(folder.resolve("eval.json")));
  }

  @Test
  void aNeedlesCellIsAsDarkAsAnswersAreRight() throws IOException {
    NeedlePicture painter = new NeedlePicture(NeedleGrid.of(view(), "eval.json"));
    BufferedImage picture = painter.paint().image();
    for (int panel = 0; panel < 2; panel++) {
      for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 2; column++) {
          boolean found = panel == 0 || row != 1;
          Color colour =
              new Color(
                  picture.getRGB(
                      painter.left(panel) + column * NeedlePicture.CELL_WIDTH + 3,
                      painter.top(panel) + row * NeedlePicture.CELL_HEIGHT + 3));
          assertThat(colour)
              .as("panel %d, row %d, column %d", panel, row, column)
              .isEqualTo(ColourRamp.BLUE.at(found ? 1 : 0));
        }
      }
    }
  }

  @Test
  void theNeedlesOfASavedEvaluationBecomeAPicture() throws IOException {
    assertThat(run("needle @eval.json --out @n.png").succeeded().out()).contains("picture in");
    assertThat(ImageIO.read(folder.resolve("n.png").toFile()).getWidth())
        .isGreaterThan(4 * NeedlePicture.CELL_WIDTH);
  }

  @Test
  void timesLieWhereTheAxesSay() throws IOException {
    SpeedView view = SpeedFiles.read(List.of(folder.resolve("attention.json")));
    SpeedPicture painter = new SpeedPicture(view);
    BufferedImage picture = painter.paint().image();
    assertThat(view.lines())
        .extracting(SpeedView.Line::name)
        .containsExactly("dense", "a-shape, local 1024", "a-shape, local 256");
    assertThat(view.fromTheSlowest().getFirst().isDense()).isTrue();
    assertThat(view.overDense(view.lines().getLast()).getAsDouble()).isCloseTo(40, within(1e-9));
    Color first = LineStyle.of(0).colour();
    assertThat(colour(picture, painter.x(10_000), painter.y(100))).isEqualTo(first);
    assertThat(colour(picture, painter.x(10_000), painter.y(1000)))
        .isEqualTo(LineStyle.dense(0).colour());
    // Halfway between 1,000 and 10,000 tokens a linear cost is halfway as well: a straight line.
    int middle = (painter.x(1000) + painter.x(10_000)) / 2;
    assertThat(painter.y(Math.sqrt(10 * 100)))
        .isCloseTo((painter.y(10) + painter.y(100)) / 2, within(1));
    assertThat(
            IntStream.rangeClosed(-2, 2)
                .mapToObj(d -> colour(picture, middle, painter.y(Math.sqrt(1000)) + d)))
        .contains(first);
  }

  @Test
  void axesOfTimesHaveNumbers() throws IOException {
    SpeedPicture painter =
        new SpeedPicture(SpeedFiles.read(List.of(folder.resolve("attention.json"))));
    BufferedImage picture = painter.paint().image();
    int below = SpeedPicture.TOP + SpeedPicture.HEIGHT + 10;
    assertThat(hasInk(picture, painter.x(1000) - 12, below, 24, 14)).isTrue();
    assertThat(hasInk(picture, painter.x(10_000) - 12, below, 24, 14)).isTrue();
    assertThat(hasInk(picture, painter.x(3000) - 12, below, 24, 14)).isFalse();
    assertThat(hasInk(picture, SpeedPicture.LEFT - 30, painter.y(100) - 6, 20, 12)).isTrue();
  }

  private static boolean hasInk(BufferedImage picture, int left, int top, int width, int height) {
    return IntStream.range(0, width * height)
        .anyMatch(i -> (picture.getRGB(left + i % width, top + i / width) & 0xFF) < 128);
  }

  private static Color colour(BufferedImage picture, int x, int y) {
    return new Color(picture.getRGB(x, y));
  }

  @Test
  void wholeModelsAndSeveralFilesBecomePicturesToo() throws IOException {
    run("speed @prefill.json --out @p.png").succeeded();
    assertThat(ImageIO.read(folder.resolve("p.png").toFile())).isNotNull();
    Files.copy(folder.resolve("prefill.json"), folder.resolve("other.json"));
    SpeedView both =
        SpeedFiles.read(List.of(folder.resolve("prefill.json"), folder.resolve("other.json")));
    assertThat(both.lines())
        .extracting(SpeedView.Line::name)
        .containsExactly(
            "dense (prefill.json)",
            "found.json (prefill.json)",
            "dense (other.json)",
            "found.json (other.json)");
    assertThat(both.overDense(both.lines().get(3))).hasValue(2);
  }

  @Test
  void chunksAreComparedWithChunks() throws IOException {
    write(
        "chunks.json",
        """
        {"model": "m", "runs": [
          {"tokens": 8192, "heads": "dense", "totalSeconds": 8},
          {"tokens": 8192, "heads": "dense", "chunkTokens": 1024, "totalSeconds": 9},
          {"tokens": 8192, "heads": "f.json", "totalSeconds": 4},
          {"tokens": 8192, "heads": "f.json", "chunkTokens": 1024, "totalSeconds": 3}]}
        """);
    SpeedView view = SpeedFiles.read(List.of(folder.resolve("chunks.json")));
    assertThat(view.lines())
        .extracting(SpeedView.Line::name)
        .containsExactly(
            "dense", "dense, in chunks of 1,024", "f.json", "f.json, in chunks of 1,024");
    assertThat(view.overDense(view.lines().get(2))).hasValue(2);
    assertThat(view.overDense(view.lines().get(3))).hasValue(3);
    new SpeedPicture(view).paint(); // one length alone is an axis too
  }

  @Test
  void noTwoLinesLookAlike() {
    assertThat(IntStream.range(0, 30).mapToObj(LineStyle::of).distinct()).hasSize(30);
    assertThat(IntStream.range(0, 5).mapToObj(LineStyle::dense).distinct()).hasSize(5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1, 10     | 1 2 5 10",
        "0.03, 0.6 | 0.05 0.1 0.2 0.5",
        "1, 10000  | 1 3 10 30 100 300 1000 3000 10000",
        "3, 4      | 2 5",
      })
  void ticksOfALongAxisAreFew(String ends, String ticks) {
    double[] values = Arrays.stream(ends.split(", *")).mapToDouble(Double::parseDouble).toArray();
    LogAxis axis = LogAxis.around(List.of(values[0], values[1]));
    List<Double> expected = Arrays.stream(ticks.split(" ")).map(Double::valueOf).toList();
    if (values[1] / values[0] > 2) {
      assertThat(axis.ticks()).isEqualTo(expected);
    }
    assertThat(axis.share(values[0])).isBetween(0.0, 0.1);
    assertThat(axis.share(values[1])).isBetween(0.9, 1.0);
    assertThat(axis.ticks()).isSorted().allMatch(tick -> tick >= axis.from() && tick <= axis.to());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "needle @search.json --out @o.png | format is \"heddle-search/1\"; allowed: heddle-eval/1",
        "needle @nothing.json --out @o.png | nothing.json: \"format\" is missing; allowed: heddle-eval/1",
        "needle @facts.json --out @o.png  | facts.json has no needles; evaluate with --tasks needle",
        "needle @broken.json --out @o.png | broken.json is not JSON",
        "needle @none.json --out @o.png   | none.json: there is no such file",
        "needle @eval.json --out @no/o.png | o.png cannot be written: the folder",
        "speed @eval.json --out @o.png    | eval.json has neither \"shapes\" nor \"runs\"",
        "speed @attention.json @prefill.json --out @o.png | is of 'bench attention' and",
        "speed @zero.json --out @o.png    | zero.json: runs[0].totalSeconds is 0; allowed: a time above 0",
        "speed --out @o.png               | FILE",
      })
  void refuses(String arguments, String message) {
    run(arguments).refused(message);
    assertThat(folder.resolve("o.png")).doesNotExist();
  }

  private CommandRun run(String arguments) {
    return CommandRun.heddle(
        Stream.concat(
                Stream.of("plot"), Arrays.stream(arguments.replace("@", folder + "/").split(" +")))
            .toArray());
  }
}
