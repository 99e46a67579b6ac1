package dev.heddle.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.ElementType;
import dev.heddle.api.InvalidInputException;
import dev.heddle.llm.Generation.End;
import dev.heddle.llm.GoldenFolder.Case;
import dev.heddle.runtime.SparseAttention;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratorTest {
  private static final int[] PROMPT = {3, 1, 4, 1, 5, 9, 2, 6};

  @TempDir Path folder;

  static Stream<String> models() {
    return Stream.concat(GoldenFolder.TINY.stream(), Stream.of(GoldenFolder.BUNDLED));
  }

  /** The golden continuations have no ties: the script stored the least lead of a chosen token. */
  @ParameterizedTest
  @MethodSource("models")
  void greedyContinuationsAreThoseOfTransformers(String name) {
    GoldenFolder golden = GoldenFolder.of(name);
    Case last = golden.cases().getLast();
    try (LlamaModel model = LlamaModel.open(golden.modelFolder(), Attentions.PROCESSOR);
        SparseAttention attention = Attentions.dense(model.attentionShape())) {
      Generation generation =
          new Generator(model, attention)
              .generate(
                  last.prompt(),
                  GenerationOptions.greedy(last.greedy().length),
                  GenerationListener.SILENT);
      // The script goes on behind an end token; an answer ends there.
      Set<Integer> ends = model.config().endTokens();
      int[] expected =
          Arrays.stream(last.greedy()).takeWhile(token -> !ends.contains(token)).toArray();
      assertThat(generation.tokenArray()).isEqualTo(expected);
    }
  }

  @Test
  void theBundledModelAnswersAQuestion() {
    Path bundled = GoldenFolder.of(GoldenFolder.BUNDLED).modelFolder();
    String text =
        """
        The weavers had set the warp before dawn. The secret number of zahifi is [zahifi:533740]. \
        The shuttle went through once. What is the secret number of zahifi? It is [zahifi:\
        """;
    try (LlamaModel model = LlamaModel.open(bundled, Attentions.PROCESSOR);
        TextTokenizer tokenizer = TextTokenizer.open(bundled.resolve("tokenizer.json"));
        SparseAttention attention = Attentions.dense(model.attentionShape())) {
      Generation generation =
          new Generator(model, attention)
              .generate(
                  tokenizer.encode(text), GenerationOptions.greedy(6), GenerationListener.SILENT);
      assertThat(tokenizer.decode(generation.tokenArray())).isEqualTo("533740");
    }
  }

  @Test
  void cachedDecodingIsReadingTheWholeTextAgain() {
    withModel(
        new RandomModel("llama", ElementType.FLOAT32, 2, 4),
        (model, attention) -> {
          int[] text = PROMPT.clone();
          List<Integer> chosen = new ArrayList<>();
          for (int step = 0; step < 30; step++) {
            try (KeyValueCache cache = model.newCache(text.length)) {
              Prefilled all = model.prefill(attention, cache, text, PrefillProgress.SILENT);
              chosen.add(all.logits().greatest(0));
            }
            text = Arrays.copyOf(text, text.length + 1);
            text[text.length - 1] = chosen.getLast();
          }
          int end = chosen.indexOf(2); // the random model's end token
          List<Integer> expected = end < 0 ? chosen : chosen.subList(0, end);
          assertThat(generate(model, attention, GenerationOptions.greedy(30)).tokens())
              .isEqualTo(expected)
              .hasSizeGreaterThan(5);
        });
  }

  @Test
  void anAnswerEndsAtAnEndToken() {
    RandomModel random = new RandomModel("llama", ElementType.FLOAT32, 2, 2);
    random.write(folder, 1);
    List<Integer> unending = new ArrayList<>();
    withModel(
        random.without("eos_token_id"),
        (model, attention) ->
            unending.addAll(generate(model, attention, GenerationOptions.greedy(8)).tokens()));
    int end = unending.getLast();
    withModel(
        random.with("eos_token_id", List.of(49, end)),
        (model, attention) -> {
          List<Integer> heard = new ArrayList<>();
          Generation generation =
              new Generator(model, attention)
                  .generate(PROMPT, GenerationOptions.greedy(8), listener(heard));
          assertThat(generation.end()).isEqualTo(End.END_TOKEN);
          assertThat(generation.tokens())
              .isEqualTo(unending.subList(0, unending.indexOf(end)))
              .isEqualTo(heard);
        });
  }

  @Test
  void anAnswerEndsAtItsLengthAndSaysWhatItTook() {
    withModel(
        new RandomModel("llama", ElementType.FLOAT32, 2, 2).without("eos_token_id"),
        (model, attention) -> {
          Generation generation = generate(model, attention, GenerationOptions.greedy(5));
          assertThat(generation.tokens()).hasSize(5);
          assertThat(generation.end()).isEqualTo(End.MAX_NEW_TOKENS);
          assertThat(generation.reports()).hasSize(2);
          assertThat(generation.density()).isEqualTo(1);
          assertThat(generation.firstTokenNanos()).isPositive();
          assertThat(generation.totalNanos()).isGreaterThanOrEqualTo(generation.firstTokenNanos());
        });
  }

  @Test
  void anAnswerEndsWhereThePositionsEnd() {
    withModel(
        new RandomModel("llama", ElementType.FLOAT32, 1, 1)
            .without("eos_token_id")
            .with("max_position_embeddings", 10),
        (model, attention) -> {
          Generation generation = generate(model, attention, GenerationOptions.greedy(50));
          assertThat(generation.end()).isEqualTo(End.NO_ROOM);
          // Tokens 8 and 9 are read as well; what they foretell is the last of the answer.
          assertThat(generation.tokens()).hasSize(3);
          assertThatThrownBy(() ->
                  new Generator(model, attention)
                      .generate(
                          new int[11], GenerationOptions.greedy(1), GenerationListener.SILENT))
              .isInstanceOf(InvalidInputException.class)
              .hasMessageContaining("a prompt of 11 tokens is too long; allowed: 10");
        });
  }

  @Test
  void aConversationGoesOnInItsCache() {
    withModel(
        new RandomModel("qwen2", ElementType.FLOAT32, 2, 2).without("eos_token_id"),
        (model, attention) -> {
          Generator generator = new Generator(model, attention);
          GenerationOptions options = GenerationOptions.greedy(4);
          int[] question = {7, 8};
          try (KeyValueCache cache = model.newCache(40)) {
            Generation first =
                generator.generate(cache, PROMPT, options, GenerationListener.SILENT);
            assertThat(cache.tokens()).isEqualTo(PROMPT.length + 3);
            int[] next = {first.tokens().getLast(), question[0], question[1]};
            Generation second = generator.generate(cache, next, options, GenerationListener.SILENT);
            int[] whole =
                IntStream.concat(
                        IntStream.concat(Arrays.stream(PROMPT), Arrays.stream(first.tokenArray())),
                        Arrays.stream(question))
                    .toArray();
            assertThat(generator.generate(whole, options, GenerationListener.SILENT).tokens())
                .isEqualTo(second.tokens());
          }
        });
  }

  @Test
  void theSameSeedGivesTheSameAnswer() {
    withModel(
        new RandomModel("llama", ElementType.FLOAT32, 2, 2).without("eos_token_id"),
        (model, attention) -> {
          List<Integer> first = generate(model, attention, sampled(5)).tokens();
          assertThat(generate(model, attention, sampled(5)).tokens()).isEqualTo(first);
          assertThat(generate(model, attention, sampled(6)).tokens()).isNotEqualTo(first);
        });
  }

  private static GenerationOptions sampled(long seed) {
    return new GenerationOptions(20, new Sampling(1.0, 0.95, seed));
  }

  private static Generation generate(
      LlamaModel model, SparseAttention attention, GenerationOptions options) {
    return new Generator(model, attention).generate(PROMPT, options, GenerationListener.SILENT);
  }

  private static GenerationListener listener(List<Integer> heard) {
    return new GenerationListener() {
      @Override
      public void onToken(int token) {
        heard.add(token);
      }
    };
  }

  @FunctionalInterface
  private interface ModelTest {
    void run(LlamaModel model, SparseAttention attention);
  }

  private void withModel(RandomModel random, ModelTest test) {
    random.write(folder, 1);
    try (LlamaModel model = LlamaModel.open(folder, Attentions.PROCESSOR);
        SparseAttention attention = Attentions.dense(model.attentionShape())) {
      test.run(model, attention);
    }
  }
}
