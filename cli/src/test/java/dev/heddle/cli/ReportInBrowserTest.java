package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page in headless Chromium, where there is one. */
class ReportInBrowserTest {
  private static final int HEIGHT = 2400;
  private static final Color LIGHT = new Color(0xFFFFFF);
  private static final Color DARK = new Color(0x0F1419);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"1280, 1", "1280, 0", "400, 1", "400, 0"})
  void isLightOrDarkAsItsReaderLikesAndFitsTheWindow(int width, int scheme) throws Exception {
    Path page = page("some-model");
    Path picture = folder.resolve("page.png");
    browse(
        page,
        "--blink-settings=preferredColorScheme=" + scheme,
        "--hide-scrollbars",
        "--window-size=" + width + "," + HEIGHT,
        "--screenshot=" + picture);
    BufferedImage seen = ImageIO.read(picture.toFile());
    assertThat(seen.getWidth()).isEqualTo(width);
    Color paper = scheme == 0 ? DARK : LIGHT;
    // What is wider than the window would reach its edge.
    for (int x : new int[] {0, 1, 2, width - 3, width - 2, width - 1}) {
      assertThat(IntStream.range(0, HEIGHT).mapToObj(y -> colour(seen, x, y)).distinct())
          .as("column %d", x)
          .containsExactly(paper);
    }
    long others =
        IntStream.range(0, width * HEIGHT)
            .filter(i -> !colour(seen, i % width, i / width).equals(paper))
            .count();
    assertThat(others).isGreaterThan((long) width * HEIGHT / 50);
  }

  @Test
  void aWickedNameIsAText() throws Exception {
    browse(page(ReportSamples.WICKED), "--dump-dom");
    String dom = Files.readString(folder.resolve("out"));
    assertThat(dom)
        .contains("<h1>Heads found for script&gt;", "&lt;script&gt;alert(\"1\" &amp; '2')")
        .doesNotContain("<script");
  }

  private Path page(String model) throws IOException {
    Path search = folder.resolve("search.json");
    Path eval = folder.resolve("eval.json");
    Files.writeString(search, ReportSamples.text(ReportSamples.search(model, 6, 8)));
    Files.writeString(eval, ReportSamples.text(ReportSamples.eval(model, "found.json")));
    Path page = folder.resolve("page.html");
    CommandRun.heddle("report", search, eval, "--out", page).succeeded();
    return page;
  }

  private static Color colour(BufferedImage picture, int x, int y) {
    return new Color(picture.getRGB(x, y));
  }

  private void browse(Path page, String... options) throws IOException, InterruptedException {
    Optional<Path> browser = browser();
    assumeTrue(browser.isPresent(), "there is no Chromium: nobody looks at the page");
    List<String> command = new ArrayList<>(List.of(browser.get().toString()));
    command.addAll(
        List.of(
            "--headless=new",
            "--no-sandbox", // the page is ours; the superuser of a container may not have one
            "--disable-gpu",
            "--force-device-scale-factor=1",
            "--user-data-dir=" + folder.resolve("profile")));
    command.addAll(List.of(options));
    command.add(page.toUri().toString());
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .start();
    try {
      assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(folder.resolve("err"))).isZero();
  }

  private static Optional<Path> browser() {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Arrays.stream(path.split(File.pathSeparator))
        .flatMap(folder ->
            Stream.of("chromium", "chromium-browser", "google-chrome")
                .map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
