package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.ModelShape;
import dev.heddle.runtime.PatternRegistry;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Colours at known places of pictures. */
class PlotPicturesTest {
  private static final int SIDE = 768;

  @BeforeAll
  static void withoutAScreen() {
    Canvas.requireFonts();
  }

  @Test
  void theHueSaysWhatIsCoveredAndTheDarknessHowMuchItWeighs() {
    AttentionMap map = new AttentionMap(4);
    map.raise(0, line(1, -1, -1, -1), line(-1, -1, -1, -1));
    map.raise(1, line(-1, 0.1f, -1, -1), line(0.9f, -1, -1, -1));
    map.raise(2, line(0.5f, 0, -1, -1), line(0.4f, -1, 1e-9f, -1));
    map.addKept(4, 4);
    BufferedImage picture = headPicture(map);
    assertThat(colour(picture, 0, 0)).isEqualTo(ColourRamp.BLUE.at(1));
    assertThat(colour(picture, 1, 0)).isEqualTo(ColourRamp.ORANGE.at(HeadPicture.darkness(0.9f)));
    assertThat(colour(picture, 1, 1)).isEqualTo(ColourRamp.BLUE.at(0.8));
    assertThat(colour(picture, 2, 0)).isEqualTo(ColourRamp.BLUE.at(HeadPicture.darkness(0.5f)));
    assertThat(colour(picture, 2, 1)).isEqualTo(ColourRamp.BLUE.at(0));
    assertThat(colour(picture, 2, 2)).isEqualTo(ColourRamp.ORANGE.at(0));
    assertThat(colour(picture, 0, 1)).isEqualTo(Color.WHITE);
    assertThat(colour(picture, 0, 3)).isEqualTo(Color.WHITE);
  }

  @Test
  void aMapIsFramedAndHasItsScalesBesideIt() {
    AttentionMap map = new AttentionMap(4);
    map.addKept(4, 4);
    BufferedImage picture = headPicture(map);
    assertThat(at(picture, HeadPicture.LEFT - 1, HeadPicture.TOP + 99).getRed()).isLessThan(64);
    int bar = HeadPicture.LEFT + SIDE + 28 + 9;
    int top = HeadPicture.TOP + 44;
    assertThat(at(picture, bar, top + 1).getRGB()).isEqualTo(onBar(ColourRamp.BLUE, 1));
    assertThat(at(picture, bar, top + 400).getRGB()).isEqualTo(onBar(ColourRamp.BLUE, 400));
    assertThat(at(picture, bar + 90, top + 400).getRGB()).isEqualTo(onBar(ColourRamp.ORANGE, 400));
  }

  private static int onBar(ColourRamp ramp, int y) {
    return ramp.at(1 - (y + 0.5) / (SIDE - 64)).getRGB();
  }

  @Test
  void aModelHasACellForEachHeadInEachMap() {
    ModelPlot.Measured low = new ModelPlot.Measured("a-shape", 0.25, 0.85, 0.1);
    ModelPlot.Measured high = new ModelPlot.Measured("dense", 1, 1, 0);
    List<List<ModelPlot.Measured>> layers =
        List.of(List.of(low, high, high), List.of(high, high, low));
    ModelPicture painter = new ModelPicture(new ModelPlot.Seen(setting(2, 3), layers));
    BufferedImage picture = painter.paint().image();
    double[] lowShares = {0.25, 0.25, 1}; // of scales 0 to 1, 0.8 to 1 and 0 to 0.1
    double[] highShares = {1, 1, 0};
    for (int map = 0; map < 3; map++) {
      for (int layer = 0; layer < 2; layer++) {
        for (int head = 0; head < 3; head++) {
          boolean isLow = layers.get(layer).get(head).equals(low);
          Color expected = ColourRamp.BLUE.at((isLow ? lowShares : highShares)[map]);
          Color found =
              at(
                  picture,
                  painter.left(map) + head * painter.cell() + 2,
                  ModelPicture.TOP + layer * painter.cell() + 2);
          assertThat(found).as("map " + map + ", " + layer + ", " + head).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void rampsDarkenAllTheWay() {
    for (ColourRamp ramp : new ColourRamp[] {ColourRamp.BLUE, ColourRamp.ORANGE}) {
      double before = Double.POSITIVE_INFINITY;
      for (int i = 0; i <= 20; i++) {
        Color colour = ramp.at(i / 20.0);
        double light =
            0.2126 * colour.getRed() + 0.7152 * colour.getGreen() + 0.0722 * colour.getBlue();
        assertThat(light).isLessThan(before);
        before = light;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 0", "9, 9, 1", "10, 5, 2", "32, 7, 5", "4096, 9, 500", "131072, 7, 20000"})
  void ticksAreRoundNumbers(int end, int count, int step) {
    int[] ticks = Ticks.upTo(end);
    assertThat(ticks).hasSize(count);
    assertThat(ticks[0]).isZero();
    assertThat(ticks[count - 1]).isEqualTo((count - 1) * step).isLessThan(end);
  }

  private static float[] line(float... weights) {
    return Arrays.copyOf(weights, weights.length);
  }

  private static BufferedImage headPicture(AttentionMap map) {
    PlotWork.Setting setting = setting(1, 1);
    return new HeadPicture(
            new HeadPlot.Seen(setting, 0, 0, setting.plan().assignment(0, 0), 1, map))
        .paint()
        .image();
  }

  private static PlotWork.Setting setting(int layers, int heads) {
    HeadsConfig dense =
        HeadsConfig.uniform(new ModelShape(layers, heads, 1, 8), PatternRegistry.DENSE, Map.of());
    AttentionPlan plan = AttentionPlan.resolve(dense, PatternRegistry.builder().build());
    return new PlotWork.Setting("model", 4, dense, plan, "out.png");
  }

  private static Color colour(BufferedImage picture, int row, int column) {
    int pixel = SIDE / 4;
    return at(
        picture,
        HeadPicture.LEFT + column * pixel + pixel / 2,
        HeadPicture.TOP + row * pixel + pixel / 2);
  }

  private static Color at(BufferedImage picture, int x, int y) {
    return new Color(picture.getRGB(x, y));
  }
}
