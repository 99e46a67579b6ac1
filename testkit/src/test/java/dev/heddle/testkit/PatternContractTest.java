package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockIndexBuilder;
import dev.heddle.api.ElementType;
import dev.heddle.api.HeadInputs;
import dev.heddle.api.Option;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A pattern that keeps the contract passes; each way of breaking it is noticed by its test. */
class PatternContractTest {
  private static final Option<Integer> LOCAL = Option.tokens("local", 64, 1, "Window.");

  @TestFactory
  Stream<DynamicTest> aGoodPatternPasses() {
    PatternContract contract = contractOf(new Window());
    return Stream.of(
            new Check("name", PatternContract::hasANameAndADescription),
            new Check("options", PatternContract::declaresTheSameOptionsOnEveryCall),
            new Check("candidates", PatternContract::candidatesHaveTheDeclaredOptions),
            new Check("shapes", PatternContract::indexFitsEveryShape),
            new Check("instances", PatternContract::everyInstanceGivesTheSameIndex),
            new Check("layouts", PatternContract::layoutDoesNotMatter),
            new Check("types", PatternContract::elementTypeDoesNotMatter),
            new Check("threads", PatternContract::threadsDoNotMatter),
            new Check("not finite", PatternContract::numbersThatAreNotFiniteAreSurvived),
            new Check("attention", PatternContract::attentionReadsWhatTheIndexListsAndNothingElse))
        .map(check -> DynamicTest.dynamicTest(check.name, () -> check.test.accept(contract)));
  }

  private record Check(String name, Consumer<PatternContract> test) {}

  @Test
  void noticesAPatternThatIsNoService() {
    assertBroken(
        new Window(), PatternContract::isFoundAsAService, "does the module say 'provides'");
  }

  @Test
  void noticesABadName() {
    SparsePattern pattern =
        new Window() {
          @Override
          public String name() {
            return "My_Window";
          }
        };
    assertBroken(pattern, PatternContract::hasANameAndADescription, "My_Window");
  }

  @Test
  void noticesCandidatesWithOptionsOfAnother() {
    SparsePattern pattern =
        new Window() {
          @Override
          public List<Options> candidates(AttentionShape shape) {
            return List.of(Options.defaults(List.of(Option.tokens("reach", 1, 1, "Reach."))));
          }
        };
    assertBroken(
        pattern,
        PatternContract::candidatesHaveTheDeclaredOptions,
        "unknown option 'reach'; allowed: local");
  }

  @Test
  void noticesAnIndexOfAnotherShape() {
    AttentionShape other = new AttentionShape(1, 1, 5, 5, 1);
    SparsePattern pattern = pattern(head -> BlockIndex.dense(other, head.blocks()));
    assertBroken(
        pattern, PatternContract::indexFitsEveryShape, "shape: window [local=64], AttentionShape");
  }

  @Test
  void noticesStateBetweenCalls() {
    AtomicInteger calls = new AtomicInteger();
    SparsePattern pattern = pattern(head -> window(head, 1 + calls.getAndIncrement()));
    assertBroken(pattern, PatternContract::everyInstanceGivesTheSameIndex, "seed 20240702");
    assertBroken(pattern, PatternContract::threadsDoNotMatter, "seed 20240702");
  }

  @Test
  void noticesALookAtTheLayout() {
    assertBroken(
        pattern(head -> window(head, head.keys().tokenStride() == 16 ? 1 : 50)),
        PatternContract::layoutDoesNotMatter,
        "INTERLEAVED");
    assertBroken(
        pattern(head -> window(head, Float.isNaN(numberAfterRow(head)) ? 1 : 50)),
        PatternContract::layoutDoesNotMatter,
        "STRIDED");
  }

  @Test
  void noticesALookAtTheElementType() {
    assertBroken(
        pattern(head -> window(head, head.keys().type() == ElementType.FLOAT32 ? 1 : 50)),
        PatternContract::elementTypeDoesNotMatter,
        "FLOAT16");
  }

  @Test
  void noticesWritesToTheInput() {
    SparsePattern pattern =
        pattern(head -> {
          head.keys().type().store(head.keys().memory(), head.keys().rowOffset(0), 0);
          return window(head, 1);
        });
    assertBroken(pattern, PatternContract::indexFitsEveryShape, "read-only");
  }

  @Test
  void noticesAnIndexThatANaNEmpties() {
    SparsePattern pattern =
        pattern(head -> window(head, Float.isNaN(head.keys().get(0, 0)) ? 0 : 50));
    assertBroken(pattern, PatternContract::numbersThatAreNotFiniteAreSurvived, "row 0: empty");
  }

  @Test
  void noticesABudgetThatIsNotDense() {
    PatternContract contract =
        new PatternContract() {
          @Override
          protected SparsePattern pattern() {
            return new Window();
          }

          @Override
          protected List<Options> optionsThatKeepAll(int keyTokens) {
            return List.of(Options.defaults(List.of(LOCAL)));
          }
        };
    assertThatThrownBy(contract::budgetsBeyondThePromptMeanDense)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("is dense: window [local=64]");
  }

  private static void assertBroken(
      SparsePattern pattern, Consumer<PatternContract> test, String message) {
    assertThatThrownBy(() -> test.accept(contractOf(pattern))).hasMessageContaining(message);
  }

  private static PatternContract contractOf(SparsePattern pattern) {
    return new PatternContract() {
      @Override
      protected SparsePattern pattern() {
        return pattern;
      }
    };
  }

  private interface IndexFunction {
    BlockIndex index(HeadInputs head);
  }

  private static SparsePattern pattern(IndexFunction function) {
    return new Window() {
      @Override
      public BlockIndex index(HeadInputs head, Options options) {
        return function.index(head);
      }
    };
  }

  private static float numberAfterRow(HeadInputs head) {
    return head.keys().type().load(head.keys().memory(), head.keys().rowOffset(0) + 16);
  }

  private static BlockIndex window(HeadInputs head, int local) {
    BlockIndexBuilder index = BlockIndex.builder(head.shape(), head.blocks());
    for (int row = 0; row < head.blocks().queryBlocks(head.shape().queryTokens()); row++) {
      if (local > 0) {
        index.addRange(index.firstPosition() - local + 1L, index.visibleKeys());
      }
      index.endRow();
    }
    return index.build();
  }

  /** A window before each query. */
  private static class Window implements SparsePattern {
    @Override
    public String name() {
      return "window";
    }

    @Override
    public String description() {
      return "a window before each query";
    }

    @Override
    public List<Option<?>> options() {
      return List.of(LOCAL);
    }

    @Override
    public BlockIndex index(HeadInputs head, Options options) {
      return window(head, options.get(LOCAL));
    }
  }
}
