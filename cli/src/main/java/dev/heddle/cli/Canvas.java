package dev.heddle.cli;

import dev.heddle.api.HeddleException;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Stroke;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** A white picture to paint on. */
final class Canvas {
  /** About the largest file that a picture becomes. */
  static final long MOST_BYTES = 4L << 20;

  static final int LARGE_TEXT = 18;
  static final int TEXT = 13;
  private static final int SMALLEST_TEXT = 7;
  private static final Color INK = new Color(0x202020);

  private static final Color PALE = new Color(0xDDDDDD);
  private static final Stroke THICK =
      new BasicStroke(2, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);

  private final BufferedImage image;
  private final Graphics2D graphics;

  Canvas(int width, int height) {
    image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    graphics = image.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    fill(Color.WHITE, 0, 0, width, height);
  }

  /** Where a text stands, seen from its place. */
  enum Side {
    LEFT,
    CENTRE,
    RIGHT
  }

  /**
   * Asks for a font, before any work is done: a machine without a screen often has none.
   *
   * @throws HeddleException if there is none
   */
  static void requireFonts() {
    System.setProperty("java.awt.headless", "true"); // no window is opened, no display looked for
    try {
      new Canvas(1, 1).width("0", TEXT);
    } catch (RuntimeException | Error failure) { // Java reports it as either
      throw new HeddleException(
          "pictures need a font, and Java finds none (%s); install fontconfig and a font, such as the packages fontconfig and fonts-dejavu-core"
              .formatted(failure),
          failure);
    }
  }

  /** What has been painted. */
  BufferedImage image() {
    return image;
  }

  void fill(Color colour, int left, int top, int width, int height) {
    graphics.setColor(colour);
    graphics.fillRect(left, top, width, height);
  }

  /** A line round a rectangle, outside of it. */
  void frame(int left, int top, int width, int height) {
    graphics.setColor(INK);
    graphics.drawRect(left - 1, top - 1, width + 1, height + 1);
  }

  void line(int left, int top, int right, int bottom) {
    graphics.setColor(INK);
    graphics.drawLine(left, top, right, bottom);
  }

  /** A pale line behind what is shown. */
  void guide(int left, int top, int right, int bottom) {
    graphics.setColor(PALE);
    graphics.drawLine(left, top, right, bottom);
  }

  /** A thick line through points. */
  void path(Color colour, int[] xs, int[] ys) {
    graphics.setColor(colour);
    smoothly(() -> graphics.drawPolyline(xs, ys, xs.length));
  }

  /** A sign in the middle of a point, so that colour alone tells nothing apart. */
  void mark(Color colour, Sign sign, int x, int y) {
    graphics.setColor(colour);
    double[] corners = sign.around(x, y);
    Path2D outline = new Path2D.Double();
    outline.moveTo(corners[0], corners[1]);
    for (int i = 2; i < corners.length; i += 2) {
      outline.lineTo(corners[i], corners[i + 1]);
    }
    outline.closePath();
    smoothly(() -> graphics.fill(outline));
  }

  private void smoothly(Runnable paint) {
    Stroke before = graphics.getStroke();
    graphics.setStroke(THICK);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    paint.run();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_OFF);
    graphics.setStroke(before);
  }

  /** A text at its left end, made smaller if it is wider than {@code width}. */
  void title(String text, int left, int baseline, int size, int width) {
    int fitting = size;
    while (fitting > SMALLEST_TEXT && width(text, fitting) > width) {
      fitting--;
    }
    graphics.setFont(font(fitting));
    graphics.setColor(INK);
    graphics.drawString(text, left, baseline);
  }

  /** A text whose middle is at the height {@code y}. */
  void label(String text, int x, int y, Side side) {
    label(text, x, y, side, INK);
  }

  void label(String text, int x, int y, Side side, Color colour) {
    FontMetrics metrics = graphics.getFontMetrics(font(TEXT));
    int width = metrics.stringWidth(text);
    int left =
        switch (side) {
          case LEFT -> x - width;
          case CENTRE -> x - width / 2;
          case RIGHT -> x;
        };
    graphics.setFont(font(TEXT));
    graphics.setColor(colour);
    graphics.drawString(text, left, y + (metrics.getAscent() - metrics.getDescent()) / 2);
  }

  /** A text that runs upwards, with its middle at a point. */
  void upright(String text, int x, int y) {
    graphics.translate(x, y);
    graphics.rotate(-Math.PI / 2);
    label(text, 0, 0, Side.CENTRE);
    graphics.rotate(Math.PI / 2);
    graphics.translate(-x, -y);
  }

  private int width(String text, int size) {
    return graphics.getFontMetrics(font(size)).stringWidth(text);
  }

  private static Font font(int size) {
    return new Font(Font.SANS_SERIF, Font.PLAIN, size);
  }

  /** Writes the picture as PNG. */
  void write(WritableByteChannel channel) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(image, "png", stream)) {
        throw new IOException("this JDK writes no PNG");
      }
    }
    for (ByteBuffer rest = ByteBuffer.wrap(bytes.toByteArray()); rest.hasRemaining(); ) {
      channel.write(rest);
    }
  }
}
