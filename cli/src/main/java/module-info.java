/** The {@code heddle} command. */
module dev.heddle.cli {
  requires dev.heddle.runtime;
  requires dev.heddle.llm;
  requires info.picocli;
  requires static org.jspecify;
}
