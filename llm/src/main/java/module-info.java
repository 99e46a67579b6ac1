/** A Llama-family decoder whose attention runs through the runtime. */
module dev.heddle.llm {
  requires transitive dev.heddle.runtime;
  requires jdk.management; // the machine's memory
  requires tools.jackson.databind;
  requires static org.jspecify;

  exports dev.heddle.llm;
}
