package dev.heddle.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** {@code examples/library}, built and tested by its own Maven before, started as its users do. */
class LibraryTest {
  private static final Example LIBRARY = Example.named("library");
  private static final Shell SHELL =
      Shell.in(LIBRARY.folder()).with("JAVA_HOME", System.getProperty("java.home"));

  @Test
  void runsOnTheModulePath() throws Exception {
    String inCode = SHELL.run("./run.sh").succeeded().out();
    assertThat(inCode).matches("heads from code, \\w+ backend: 4096 tokens, [\\d.]+ % of .*\\n");
    String fromFile = SHELL.run("./run.sh", "heads.json").succeeded().out();
    assertThat(fromFile).isEqualTo(inCode.replace("from code", "from heads.json"));
  }

  @Test
  void runsOnALinkedJdk() throws Exception {
    SHELL.run("./link.sh").succeeded();
    assertThat(SHELL.with("JAVA_HOME", "target/jdk").run("./run.sh").succeeded().out())
        .startsWith("heads from code, ");
  }
}
