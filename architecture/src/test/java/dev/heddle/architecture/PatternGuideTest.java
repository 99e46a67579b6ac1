package dev.heddle.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.BlockShape;
import dev.heddle.api.SparsePattern;
import dev.heddle.testkit.PatternContract;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/** What docs/writing-a-pattern.md shows is so. */
class PatternGuideTest {
  private static final String FILE = "docs/writing-a-pattern.md";
  private static final String GUIDE = Repository.read(Repository.path(FILE));

  @Test
  void theExamplePassesTheTestKit(@TempDir Path out) throws Exception {
    DocumentExamples.compile(DocumentExamples.of(FILE), out);
    Path services = Files.createDirectories(out.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(SparsePattern.class.getName()),
        "com.example.dilatedwindow.DilatedWindowPattern");
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {out.toUri().toURL()}, getClass().getClassLoader())) {
      Events tests =
          EngineTestKit.engine("junit-jupiter")
              .selectors(
                  selectClass(
                      loader.loadClass("com.example.dilatedwindow.DilatedWindowPatternTest")))
              .execute()
              .testEvents();
      assertThat(tests.failed().list()).isEmpty();
      assertThat(tests.succeeded().count()).isGreaterThanOrEqualTo(18);
    }
  }

  @Test
  void everyCheckOfTheKitIsExplained() {
    assertThat(
            Arrays.stream(PatternContract.class.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .map(Method::getName))
        .hasSizeGreaterThanOrEqualTo(17)
        .allSatisfy(check -> assertThat(GUIDE).contains("`" + check + "`"));
  }

  @Test
  void theWorkedIndexIsWhatTheBuilderMakes() {
    AttentionShape shape = new AttentionShape(1, 1, 8, 8, 4);
    BlockShape blocks = new BlockShape(4, 4);
    BlockIndexBuilder builder = BlockIndex.builder(shape, blocks);
    for (int row = 0; row < 2; row++) {
      builder.addRange(0, 1).addRange(builder.firstPosition() - 1, builder.visibleKeys()).endRow();
    }
    BlockIndex index = builder.build();
    assertThat(index)
        .isEqualTo(BlockIndex.of(shape, blocks, new int[][] {{0}, {3}}, new int[][] {{}, {0, 7}}));
    assertThat(index.cells()).isEqualTo(28);
    assertThat(shape.causalCells()).isEqualTo(36);
    for (int query = 0; query < 8; query++) {
      assertThat(GUIDE).containsPattern("\n" + "query " + query + "   " + drawn(index, query));
    }
  }

  /** A line of the drawing: required, read as well, not read. */
  private static String drawn(BlockIndex index, int query) {
    StringBuilder line = new StringBuilder();
    for (int key = 0; key <= query; key++) {
      boolean required = key == 0 || query - key < 2;
      line.append(required ? " #" : index.attends(query, key) ? " \\+" : " \\.");
    }
    return line + "( {3}|\n)";
  }
}
