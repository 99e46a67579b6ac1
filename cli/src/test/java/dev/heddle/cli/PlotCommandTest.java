package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class PlotCommandTest {
  private static final Path MODEL = CommandRun.REPOSITORY.resolve("models/byte-llama-5m");
  private static final String NARROW =
      """
      {"format": "heddle-heads/1",
       "shape": {"layers": 6, "queryHeads": 8, "keyValueHeads": 2, "headDim": 64},
       "defaults": {"pattern": "dense"},
       "heads": [{"layers": "2", "heads": "5", "pattern": "a-shape",
                  "options": {"sink": 0, "local": 16}}]}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void writeFiles() throws IOException {
    Files.writeString(folder.resolve("prompt.txt"), "Weaving is older than writing. ".repeat(30));
    Files.writeString(folder.resolve("narrow.json"), NARROW);
    Files.writeString(
        folder.resolve("other.json"), NARROW.replace("\"headDim\": 64", "\"headDim\": 32"));
    Files.createDirectory(folder.resolve("folder"));
  }

  @Test
  void aHeadAndItsIndexBecomeAPicture() throws IOException {
    Path out = folder.resolve("head.png");
    CommandRun run =
        run("head " + ALL + " --layer 2 --head 5 --heads @narrow.json --out @head.png");
    assertThat(run.succeeded().out()).contains("layer 2, head 5, a-shape: density", "head.png");
    BufferedImage picture = ImageIO.read(out.toFile());
    // 600 tokens, a pixel each
    assertThat(picture.getWidth()).isGreaterThan(HeadPicture.LEFT + 600);
    assertThat(picture.getRGB(HeadPicture.LEFT + 590, HeadPicture.TOP + 10)).isEqualTo(-1);
    // the query reads the key before the last block, and not one long before
    assertThat(isBlue(picture.getRGB(HeadPicture.LEFT + 580, HeadPicture.TOP + 590))).isTrue();
    assertThat(isBlue(picture.getRGB(HeadPicture.LEFT + 200, HeadPicture.TOP + 590))).isFalse();
  }

  private static boolean isBlue(int colour) {
    return (colour & 0xFF) > (colour >> 16 & 0xFF);
  }

  @Test
  void aHeadAndTheModelAgreeInNumbers() throws IOException {
    JsonNode head =
        run("head " + ALL + " --layer 2 --head 5 --heads @narrow.json --out @head.png --json")
            .succeeded()
            .object();
    JsonNode model =
        run("model " + ALL + " --heads @narrow.json --out @model.png --json").succeeded().object();
    assertThat(head.get("pattern").asString()).isEqualTo("a-shape");
    assertThat(head.at("/options/local").asInt()).isEqualTo(16);
    assertThat(head.get("tokens").asInt()).isEqualTo(600);
    assertThat(head.get("mapPixels").asInt()).isEqualTo(600);
    assertThat(head.get("recall").asDouble()).isBetween(0.01, 0.999);
    assertThat(head.get("largestMissedWeight").asDouble()).isBetween(1e-4, 1.0);
    JsonNode same = model.at("/layers/2/5");
    assertThat(same.get("pattern").asString()).isEqualTo("a-shape");
    assertThat(same.get("density").asDouble()).isEqualTo(head.get("density").asDouble());
    assertThat(same.get("recall").asDouble())
        .isCloseTo(head.get("recall").asDouble(), within(1e-4));
    assertThat(same.get("error").asDouble()).isPositive();
    JsonNode dense = model.at("/layers/5/7");
    assertThat(dense.get("density").asDouble()).isEqualTo(1);
    assertThat(dense.get("recall").asDouble()).isCloseTo(1, within(1e-5));
    assertThat(dense.get("error").asDouble()).isLessThan(1e-5);
    assertThat(ImageIO.read(folder.resolve("model.png").toFile()).getHeight())
        .isGreaterThan(ModelPicture.TOP);
  }

  private static final String ALL = "--model MODEL --prompt-file @prompt.txt --tokens 600";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "head ALL --layer 6 --head 0 --out @o.png     | --layer is 6; the model has 0 to 5",
        "head ALL --layer -1 --head 0 --out @o.png    | --layer is -1",
        "head ALL --layer 0 --head 8 --out @o.png     | --head is 8; the model has 0 to 7",
        "head ALL --layer 0 --head 0                  | --out=FILE",
        "head ALL --layer 0 --head 0 --out @no/o.png  | o.png cannot be written: the folder",
        "head ALL --layer 0 --head 0 --out @folder    | folder cannot be written: it exists and",
        "head --model MODEL --layer 0 --head 0 --out @o.png | --prompt-file=FILE",
        "model --model MODEL --prompt-file @no.txt --out @o.png | no.txt: there is no such file",
        "model --model @no --prompt-file @prompt.txt --out @o.png | no: there is no such folder",
        "model ALL --heads @other.json --out @o.png   | other.json is for 6 layers",
        "model --model MODEL --prompt-file @prompt.txt --tokens 0 --out @o.png | --tokens is 0",
      })
  void refuses(String arguments, String message) {
    run(arguments.replace("ALL", ALL)).refused(message);
    assertThat(folder.resolve("o.png")).doesNotExist();
  }

  private CommandRun run(String arguments) {
    String words = arguments.replace("MODEL", MODEL.toString()).replace("@", folder + "/");
    return CommandRun.heddle(
        Stream.concat(Stream.of("plot"), Arrays.stream(words.split(" +"))).toArray());
  }
}
