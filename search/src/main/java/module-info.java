/**
 * Finds each head's pattern and options for a model from sample prompts, and judges what was found.
 */
module dev.heddle.search {
  requires transitive dev.heddle.llm;
  requires tools.jackson.databind;
  requires static org.jspecify;

  exports dev.heddle.search;
}
