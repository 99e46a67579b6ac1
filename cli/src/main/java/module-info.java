/** The {@code heddle} command. Exports nothing: it is started, not called. */
module dev.heddle.cli {
  requires dev.heddle.llm;
  requires dev.heddle.runtime;
  requires dev.heddle.search;
  requires info.picocli;
  requires java.desktop; // pictures: Java2D and its PNG writer
  requires me.tongfei.progressbar;
  requires tools.jackson.databind;
  requires static org.jspecify;

  // picocli finds the options by their annotations and sets the fields by reflection.
  opens dev.heddle.cli to
      info.picocli;
}
