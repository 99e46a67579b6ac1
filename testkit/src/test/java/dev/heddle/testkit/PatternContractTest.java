package dev.heddle.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.heddle.api.ElementType;
import dev.heddle.api.Options;
import dev.heddle.api.SparsePattern;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.AttentionCall;
import dev.heddle.kernels.Availability;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import dev.heddle.kernels.MatrixProducts;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** A pattern that keeps the contract passes; each bad one fails the check that is meant for it. */
class PatternContractTest {
  @Test
  void aGoodPatternPasses() {
    assertThat(failures(GoodContract.class, "")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void aBadPatternFailsItsCheckAndNoOther(BadPattern bad) {
    Map<String, String> failures = failures(BadPatternContract.class, bad.name());
    assertThat(failures.keySet()).isEqualTo(bad.failing);
    assertThat(failures.values()).allSatisfy(text -> assertThat(text).contains(bad.message));
  }

  @Test
  void aPatternThatIsNoServiceIsNoticed() {
    assertOnlyFailure(
        NoServiceContract.class, "isFoundAsAService", "does the module say 'provides'?");
  }

  @Test
  void aBudgetThatIsNotDenseIsNoticed() {
    assertOnlyFailure(
        BudgetContract.class,
        "budgetsBeyondThePromptMeanDense",
        "is dense: pattern 'window', options [local=64]");
  }

  @Test
  void attentionOutsideTheNumericalRuleIsNoticed() {
    assertOnlyFailure(
        WrongBackendContract.class,
        "attentionKeepsTheNumericalRule",
        "twice the error of the plain computation: vector backend, FLOAT32: pattern 'window'");
  }

  @Test
  void aGpuHalfLikeTheHostsPasses() {
    EngineExecutionResults results = run(RightGpuContract.class, "");
    assertThat(results.testEvents().failed().list()).isEmpty();
    assertThat(results.testEvents().succeeded().list().stream().map(PatternContractTest::name))
        .contains("gpuBuildsTheHostsIndex", "gpuAttentionKeepsTheNumericalRule");
  }

  @Test
  void aGpuHalfThatReadsMoreIsNoticed() {
    assertOnlyFailure(
        WiderGpuContract.class,
        "gpuBuildsTheHostsIndex",
        "on the device alone, which no rounding explains");
  }

  @Test
  void aGpuKernelOutsideTheNumericalRuleIsNoticed() {
    assertOnlyFailure(
        WrongGpuContract.class,
        "gpuAttentionKeepsTheNumericalRule",
        "on the GPU, FLOAT32: pattern 'window'");
  }

  /** Where there is no GPU, and where its kernels cannot be compiled. */
  @Test
  void whatCannotRunOnTheGpuIsSkippedWithTheReason() {
    assertThat(skipped(NoGpuContract.class))
        .containsEntry("gpuBuildsTheHostsIndex", "Assumption failed: no GPU to test on: none here")
        .containsKey("gpuAttentionKeepsTheNumericalRule");
    assertThat(skipped(NoCompilerContract.class))
        .containsEntry(
            "gpuBuildsTheHostsIndex",
            "Assumption failed: the pattern's kernels cannot run here: no compiler; get one");
  }

  @Test
  void whatAnAuthorDeclaresIsNotChecked() {
    EngineExecutionResults results = run(DeclaringContract.class, "");
    assertThat(results.testEvents().aborted().list().stream().map(PatternContractTest::name))
        .contains("chunksReadWhatTheWholePromptReads", "indexCostGrowsLessThanTheSquare");
  }

  /** Every check of the kit has a pattern here that it fails. */
  @Test
  void everyCheckCanFail() {
    Set<String> failing =
        new HashSet<>(
            Set.of(
                "isFoundAsAService",
                "budgetsBeyondThePromptMeanDense",
                "attentionKeepsTheNumericalRule",
                "gpuBuildsTheHostsIndex",
                "gpuAttentionKeepsTheNumericalRule"));
    Arrays.stream(BadPattern.values()).forEach(bad -> failing.addAll(bad.failing));
    assertThat(
            Arrays.stream(PatternContract.class.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .map(Method::getName))
        .hasSizeGreaterThanOrEqualTo(19)
        .containsExactlyInAnyOrderElementsOf(failing);
  }

  private static void assertOnlyFailure(Class<?> contract, String check, String message) {
    Map<String, String> failures = failures(contract, "");
    assertThat(failures).containsOnlyKeys(check);
    assertThat(failures.get(check)).contains(message);
  }

  private static EngineExecutionResults run(Class<?> contract, String bad) {
    return EngineTestKit.engine("junit-jupiter")
        .selectors(selectClass(contract))
        .configurationParameter(BadPatternContract.PARAMETER, bad)
        .execute();
  }

  /** What each test that failed said. */
  private static Map<String, String> failures(Class<?> contract, String bad) {
    EngineExecutionResults results = run(contract, bad);
    assertThat(results.testEvents().started().count()).isGreaterThan(10);
    return results.testEvents().failed().stream()
        .collect(
            Collectors.toMap(
                PatternContractTest::name,
                PatternContractTest::message,
                (a, b) -> a,
                TreeMap::new));
  }

  /** Why each test that was skipped was. */
  private static Map<String, String> skipped(Class<?> contract) {
    return run(contract, "").testEvents().aborted().stream()
        .collect(Collectors.toMap(PatternContractTest::name, PatternContractTest::message));
  }

  private static String name(Event event) {
    return ((MethodSource) event.getTestDescriptor().getSource().orElseThrow()).getMethodName();
  }

  private static String message(Event event) {
    return String.valueOf(
        event
            .getRequiredPayload(org.junit.platform.engine.TestExecutionResult.class)
            .getThrowable()
            .orElseThrow()
            .getMessage());
  }

  static class NoServiceContract extends PatternContract {
    @Override
    protected SparsePattern pattern() {
      return new Window();
    }
  }

  static class GoodContract extends NoServiceContract {
    @Override
    public void isFoundAsAService() {}
  }

  static class BudgetContract extends GoodContract {
    @Override
    protected List<Options> optionsThatKeepAll(int keyTokens) {
      return List.of(Options.defaults(pattern().options()));
    }
  }

  static class DeclaringContract extends GoodContract {
    @Override
    protected boolean chunksGiveTheRowsOfTheWhole() {
      return false;
    }

    @Override
    protected boolean indexCostIsQuadratic() {
      return true;
    }
  }

  /** A window with a GPU half, on a device that is made up. */
  abstract static class GpuContract extends GoodContract {
    private final FakeCuda device;

    GpuContract(FakeCuda device) {
      this.device = device;
    }

    @Override
    protected SparsePattern pattern() {
      return new FakeCuda.Pattern();
    }

    @Override
    Backends backends() {
      return device.besideOthers();
    }
  }

  static class RightGpuContract extends GpuContract {
    RightGpuContract() {
      super(FakeCuda.right());
    }
  }

  static class WiderGpuContract extends GpuContract {
    WiderGpuContract() {
      super(FakeCuda.readingMore());
    }
  }

  static class WrongGpuContract extends GpuContract {
    WrongGpuContract() {
      super(FakeCuda.computingWrong());
    }
  }

  static class NoCompilerContract extends GpuContract {
    NoCompilerContract() {
      super(FakeCuda.withoutCompiler());
    }
  }

  static class NoGpuContract extends GpuContract {
    NoGpuContract() {
      super(FakeCuda.absent());
    }
  }

  static class WrongBackendContract extends GoodContract {
    @Override
    Backends backends() {
      return new Backends(
          Backends.standard().providers().stream()
              .map(provider ->
                  provider.name().equals("vector") ? new WrongProvider(provider) : provider)
              .toList());
    }
  }

  /** A backend whose first number is a thousandth too great. */
  private record WrongProvider(BackendProvider right) implements BackendProvider {
    @Override
    public String name() {
      return right.name();
    }

    @Override
    public Availability availability() {
      return right.availability();
    }

    @Override
    public AttentionBackend open(int threads) {
      AttentionBackend backend = right.open(threads);
      return new AttentionBackend() {
        @Override
        public String name() {
          return backend.name();
        }

        @Override
        public void attend(AttentionCall call) {
          backend.attend(call);
          ElementType type = call.out().type();
          float first = type.load(call.out().memory(), 0);
          type.store(call.out().memory(), 0, first + 0.001f);
        }

        @Override
        public void close() {
          backend.close();
        }
      };
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      return right.openMatrixProducts(threads);
    }
  }
}
