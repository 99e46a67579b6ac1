package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;

/** Refuses what a model cannot read, naming the value and what is allowed. */
record PromptCheck(ModelConfig config) {
  /** Refuses tokens that the model does not know, none at all, and those without room. */
  void room(KeyValueCache cache, int[] tokens) {
    if (!cache.shape().equals(config.attention())) {
      throw new InvalidInputException(
          "the cache is for %s, but the model is %s".formatted(cache.shape(), config.attention()));
    }
    tokens(tokens);
    long end = (long) cache.tokens() + tokens.length;
    positions("a text of " + end + " tokens", end);
    if (end > cache.capacity()) {
      throw new InvalidInputException(
          "the cache holds %d tokens and has room for %d, not for %d more"
              .formatted(cache.tokens(), cache.capacity() - cache.tokens(), tokens.length));
    }
  }

  /** Refuses tokens that the model does not know, and none at all. */
  void tokens(int[] tokens) {
    if (tokens.length == 0) {
      throw new InvalidInputException("the prompt is empty; allowed: at least 1 token");
    }
    for (int token : tokens) {
      if (token < 0 || token >= config.vocabularySize()) {
        throw new InvalidInputException(
            "token %d is not in the model's vocabulary; allowed: 0 to %d"
                .formatted(token, config.vocabularySize() - 1));
      }
    }
  }

  /** Refuses a text that is longer than the model's positions or window. */
  void positions(String what, long tokens) {
    if (tokens > config.maxPositions()) {
      throw new InvalidInputException(
          "%s is too long; allowed: %d, the model's max_position_embeddings"
              .formatted(what, config.maxPositions()));
    }
    if (config.slidingWindow().isPresent() && tokens > config.slidingWindow().getAsInt()) {
      throw new InvalidInputException(
          "%s is too long; allowed: %d, the model's sliding_window, beyond which it forgets"
              .formatted(what, config.slidingWindow().getAsInt()));
    }
  }

  /** Refuses positions that are not among the tokens. */
  static void among(int[] tokens, int[] positions) {
    for (int position : positions) {
      if (position < 0 || position >= tokens.length) {
        throw new InvalidInputException(
            "position %d is not among the %d tokens".formatted(position, tokens.length));
      }
    }
  }
}
