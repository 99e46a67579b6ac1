package dev.heddle.distribution;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * An unpacked distribution.
 *
 * @param home its folder
 */
record Distribution(Path home) {
  /** The version that is being built. */
  static final String VERSION = property("heddle.version");

  /** Unpacks the archive that {@code property} names. */
  static Distribution unpack(String property, Path into) {
    try {
      Shell.in(into).run("tar", "-xzf", property(property)).succeeded();
      return new Distribution(into.resolve("heddle-" + VERSION));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Path command() {
    return home.resolve("bin/heddle");
  }

  Path model() {
    return home.resolve("models/byte-llama-5m");
  }

  /** A prompt of {@code characters} characters: the beginning of the bundled text. */
  Path prompt(Path into, int characters) throws IOException {
    String text = Files.readString(home.resolve("texts/jargon-file.txt"));
    return Files.writeString(into.resolve("prompt.txt"), text.substring(0, characters));
  }

  static String property(String name) {
    return Objects.requireNonNull(System.getProperty(name), name);
  }
}
