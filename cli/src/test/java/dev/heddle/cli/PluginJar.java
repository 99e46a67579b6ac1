package dev.heddle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;

/** Plugins as other people's builds make them. */
final class PluginJar {
  private PluginJar() {}

  /** Compiles {@code plugged.Plugged} and packs it as a jar that provides it as a pattern. */
  static Path write(Path jar, Path work, String source) throws IOException {
    Path file = Files.createDirectories(work.resolve("plugged")).resolve("Plugged.java");
    Files.writeString(file, source);
    int status =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                System.out,
                System.err,
                "-cp",
                System.getProperty("jdk.module.path"),
                "-d",
                work.toString(),
                file.toString());
    assertThat(status).isZero();
    Files.createDirectories(jar.getParent());
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("META-INF/services/dev.heddle.api.SparsePattern"));
      out.write("plugged.Plugged\n".getBytes(StandardCharsets.UTF_8));
      out.putNextEntry(new JarEntry("plugged/Plugged.class"));
      Files.copy(work.resolve("plugged/Plugged.class"), out);
    }
    return jar;
  }

  /** A pattern called {@code name} that does what {@link SparsePatterns.Window} does. */
  static String window(String name) {
    return """
    package plugged;
    import dev.heddle.api.*;
    import java.util.List;
    public class Plugged implements SparsePattern {
      public String name() { return "%s"; }
      public String description() { return "a window"; }
      public List<Option<?>> options() { return List.of(); }
      public BlockIndex index(HeadInputs head, Options options) {
        BlockIndexBuilder index = BlockIndex.builder(head.shape(), head.blocks());
        for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
          index.addRange(index.firstPosition(), index.visibleKeys()).endRow();
        }
        return index.build();
      }
    }
    """
        .formatted(name);
  }
}
