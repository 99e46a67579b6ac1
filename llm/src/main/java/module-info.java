/** A Llama-family decoder whose attention runs through the runtime. */
module dev.heddle.llm {
  requires transitive dev.heddle.runtime;
  requires jdk.management; // the machine's memory
  requires ai.djl.api; // automatic: the tokenizer library has no module descriptors
  requires ai.djl.tokenizers; // automatic: reads tokenizer.json
  requires com.google.gson; // the tokenizer library's; being automatic, it cannot ask for it
  requires org.slf4j; // likewise
  requires tools.jackson.databind;
  requires static org.jspecify;

  exports dev.heddle.llm;
}
