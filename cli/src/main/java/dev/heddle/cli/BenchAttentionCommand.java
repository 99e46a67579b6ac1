package dev.heddle.cli;

import dev.heddle.api.AttentionShape;
import dev.heddle.api.BlockShape;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.GpuAttention;
import dev.heddle.kernels.GpuTensors;
import dev.heddle.llm.MachineMemory;
import dev.heddle.runtime.PatternRegistry;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle bench attention}: how long indices and attention of one layer take. */
@Command(
    name = "attention",
    description = {
      "Measure one layer of attention: indices and attention apart, against dense attention on the"
          + " same device.",
      "On a GPU the tensors lie in its memory and CUDA events take the times; on the processor it"
          + " is the wall clock."
    },
    footer = {
      "",
      "Times are medians; the spread is the slowest total less the fastest, as a share of the"
          + " median. FLOP/s are 4 x head dim for each computed cell (query, key) over the time of"
          + " attention alone; density is computed cells over those of dense attention; the error is"
          + " the root of the squared differences from dense attention's output over its squares.",
      "",
      "Q and K are made from the seed with the structure of trained heads, because random numbers"
          + " have none: in three quarters of the dims a constant vector under rotary position"
          + " embedding (base 500000), most of it in slow pairs, so that scores depend on the offset"
          + " and make a band of slash lines at offset 0 (score 10) and another at an eighth to a half"
          + " of the prompt (score 7); in the other dims a direction that queries look along and one"
          + " key in 32 carries (score 6.2 to 7.5; the first 4 keys always), which makes vertical"
          + " lines; and normal noise of deviation 0.2 on every number. Each query head has its own"
          + " second band and its own ranking of the planted keys. V is normal noise."
    })
final class BenchAttentionCommand extends PatternCommand {
  private static final Duration WARM_UP = Duration.ofSeconds(1);

  private static final int REHEARSAL_TOKENS = 2_048;
  private static final int REHEARSALS = 300;

  /** A pattern and the options that follow it. */
  static final class PatternOption {
    @Option(
        names = "--pattern",
        paramLabel = "NAME",
        required = true,
        description =
            "A pattern to measure; may be given several times. By default a-shape, block-sparse and"
                + " vertical-slash with budgets in use for long prompts.")
    private String name = ""; // required: always set

    @Option(
        names = "--option",
        paramLabel = "NAME=VALUE",
        description = "A setting of the --pattern before it; may be given several times.")
    private Map<String, String> options = new LinkedHashMap<>();
  }

  @ArgGroup(exclusive = false, multiplicity = "0..*")
  private List<PatternOption> patterns = new ArrayList<>();

  @Option(names = "--no-dense", description = "Leave dense attention, and the ratio to it, out.")
  private boolean noDense;

  @Option(
      names = "--error",
      description = "Compare each output with dense attention's as well; takes memory for both.")
  private boolean withError;

  @Mixin private BenchShapeOptions shapeOptions = new BenchShapeOptions();

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Decides the numbers; ${DEFAULT-VALUE} when not given.")
  private long seed;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  BenchAttentionCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() {
    if (withError && noDense) {
      throw new InvalidInputException("--error compares with dense; leave --no-dense out");
    }
    PatternRegistry registry = findPatterns();
    List<BenchCase> cases = cases(registry);
    compute.noteFallback(console());
    try (AttentionBackend backend = compute.openBackend()) {
      BenchSize size = shapeOptions.size(backend.name());
      requireMemory(size, backend.gpu());
      Tools tools = new Tools(registry, backend);
      rehearse(size, cases, tools);
      List<BenchReport.OfShape> results = new ArrayList<>();
      for (AttentionShape shape : size.shapes()) {
        results.add(measure(shape, size, cases, tools));
      }
      return new BenchReport(
          size, seed, new BenchReport.Machine(backend.name(), compute.threads()), results);
    }
  }

  /** What measuring needs. */
  private record Tools(PatternRegistry registry, AttentionBackend backend) {}

  private List<BenchCase> cases(PatternRegistry registry) {
    List<BenchCase> cases = new ArrayList<>();
    if (!noDense) {
      cases.add(BenchCase.dense(registry));
    }
    if (patterns.isEmpty()) {
      cases.addAll(BenchCase.standard(registry));
    }
    for (PatternOption pattern : patterns) {
      BenchCase named = BenchCase.of(pattern.name, pattern.options, registry);
      if (noDense || !named.isDense()) {
        cases.add(named);
      }
    }
    return cases;
  }

  /** Refuses what does not fit before any time is spent. */
  private void requireMemory(BenchSize size, Optional<GpuAttention> gpu) {
    for (AttentionShape shape : size.shapes()) {
      long output = (long) shape.queryHeads() * shape.queryTokens() * shape.headDim();
      long needed =
          StructuredLayer.bytes(shape, size.type())
              + (gpu.isPresent() ? 0 : output * size.type().bytes())
              + (withError ? 2 * output * size.type().bytes() : 0);
      long available = MachineMemory.availableBytes();
      if (needed > available) {
        throw new InvalidInputException(
            "%s heads x %s tokens need %s MiB of memory, but %s MiB are available; use fewer tokens or heads"
                .formatted(
                    shape.queryHeads(),
                    Shown.count(shape.queryTokens()),
                    Shown.count(Math.ceilDiv(needed, 1L << 20)),
                    Shown.count(available >> 20)));
      }
      gpu.ifPresent(device -> device.allocate(shape, size.type(), BlockShape.DEFAULT).close());
    }
  }

  /**
   * Runs the cases on a short prompt: a GPU's second of warm-ups is a few runs of a long prompt,
   * after which the code that queues them is not compiled yet.
   */
  private void rehearse(BenchSize size, List<BenchCase> cases, Tools tools) {
    if (size.warmup() == 0 || tools.backend().gpu().isEmpty()) {
      return;
    }
    AttentionShape first = size.shapes().getFirst();
    int tokens = Math.min(REHEARSAL_TOKENS, first.keyTokens());
    AttentionShape shape =
        new AttentionShape(
            first.queryHeads(), first.keyValueHeads(), tokens, tokens, first.headDim());
    try (Arena arena = Arena.ofShared();
        BenchRunner runner = runner(shape, size, tools, arena)) {
      for (BenchCase rehearsed : cases) {
        try (BenchRunner.Run run = runner.prepare(rehearsed)) {
          for (int i = 0; i < REHEARSALS; i++) {
            run.once();
          }
        }
      }
    }
  }

  private BenchReport.OfShape measure(
      AttentionShape shape, BenchSize size, List<BenchCase> cases, Tools tools) {
    try (Arena arena = Arena.ofShared();
        Progress progress =
            console().progress(Shown.count(shape.keyTokens()) + " tokens", cases.size());
        BenchRunner runner = runner(shape, size, tools, arena)) {
      Errors errors = new Errors();
      List<BenchReport.Row> rows = new ArrayList<>();
      for (BenchCase measured : cases) {
        BenchMedian median = measure(runner, measured, size);
        OptionalDouble error = withError ? errors.of(runner, measured) : OptionalDouble.empty();
        rows.add(new BenchReport.Row(measured, median, error));
        progress.stepTo(rows.size());
      }
      return new BenchReport.OfShape(shape, rows);
    }
  }

  /** Compares outputs with that of the dense case, which comes first. */
  private static final class Errors {
    private final Arena arena = Arena.ofAuto();
    private Optional<HeadTensor> dense = Optional.empty();

    OptionalDouble of(BenchRunner runner, BenchCase measured) {
      try (Arena copies = Arena.ofShared()) {
        HeadTensor output = runner.output(copies);
        if (measured.isDense()) {
          dense = Optional.of(OutputError.copy(output, arena));
        }
        return OptionalDouble.of(OutputError.relative(output, dense.orElseThrow()));
      }
    }
  }

  private BenchRunner runner(AttentionShape shape, BenchSize size, Tools tools, Arena arena) {
    Optional<GpuAttention> gpu = tools.backend().gpu();
    if (gpu.isEmpty()) {
      StructuredLayer layer = StructuredLayer.make(shape, size.type(), seed, arena);
      return new HostBench(
          heads -> compute.builder(tools.registry(), heads).denseBelow(0).build(), layer, arena);
    }
    GpuTensors tensors = gpu.get().allocate(shape, size.type(), BlockShape.DEFAULT);
    try {
      StructuredLayer layer = StructuredLayer.make(shape, size.type(), seed, arena);
      return new DeviceBench(
          DeviceBench.Access.of(gpu.get(), console()::note),
          tensors,
          heads ->
              compute.builder(tools.registry(), heads).denseBelow(0).backend("reference").build(),
          layer,
          arena);
    } catch (RuntimeException | Error failure) {
      tensors.close();
      throw failure;
    }
  }

  /** Runs at least so often, and if at all for a second: compiled code is what is measured. */
  private static void warmUp(BenchRunner.Run run, int times) {
    long end = System.nanoTime() + WARM_UP.toNanos();
    for (int i = 0; i < times || (times > 0 && System.nanoTime() < end); i++) {
      run.once();
    }
  }

  private static BenchMedian measure(BenchRunner runner, BenchCase measured, BenchSize size) {
    try (BenchRunner.Run run = runner.prepare(measured)) {
      warmUp(run, size.warmup());
      List<BenchSample> samples = new ArrayList<>();
      for (int i = 0; i < size.repeat(); i++) {
        samples.add(run.once());
      }
      return new BenchMedian(samples);
    }
  }
}
