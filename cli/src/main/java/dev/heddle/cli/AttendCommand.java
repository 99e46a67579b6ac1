package dev.heddle.cli;

import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.PatternRegistry;
import dev.heddle.runtime.Prefill;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code heddle attend}: one layer of attention on arrays from anywhere. */
@Command(
    name = "attend",
    description = "Compute one layer of causal attention on arrays stored in files.",
    footer = {
      "",
      "Arrays are [head][token][dim], in .npy files (float32, float16; C order) or safetensors files"
          + " (also bfloat16). A safetensors file holds one tensor, or FILE.safetensors#NAME chooses"
          + " one. K and V may have fewer heads than Q, each shared by a group of neighbouring query"
          + " heads, and more tokens: the queries are the last tokens.",
      "",
      "The output has the shape and element type of Q. Files are replaced only by whole results."
    })
final class AttendCommand extends PatternCommand {
  @Option(names = "--q", paramLabel = "FILE", required = true, description = "Queries.")
  private String queries = ""; // required: always set

  @Option(names = "--k", paramLabel = "FILE", required = true, description = "Keys.")
  private String keys = "";

  @Option(names = "--v", paramLabel = "FILE", required = true, description = "Values.")
  private String values = "";

  @Mixin private HeadsOptions heads = new HeadsOptions();

  @Option(
      names = "--scale",
      paramLabel = "X",
      description = "Factor on each score before the softmax; 1/sqrt(dim) when not given.")
  private Optional<Float> scale = Optional.empty();

  @Option(
      names = "--dense-below",
      paramLabel = "TOKENS",
      description =
          "Read every key when there are fewer keys than this; by default the patterns run"
              + " whatever the length.")
  private int denseBelow;

  @Mixin private OutputOptions outputs = new OutputOptions();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  AttendCommand(Console console, Discovery discovery) {
    super(console, discovery);
  }

  @Override
  Result execute() throws IOException {
    heads.requireOneChoice();
    outputs.requireDistinct();
    compute.noteFallback(console());
    try (Arena arena = Arena.ofShared();
        ArrayReader reader = new ArrayReader(arena)) {
      AttendInputs inputs = AttendInputs.map(reader, queries, keys, values);
      PatternRegistry registry = findPatterns();
      try (SparseAttention attention =
              compute
                  .builder(registry, heads.config(inputs.oneLayer(), registry))
                  .denseBelow(denseBelow)
                  .build();
          AttendOutputs files = outputs.open(inputs.queries())) {
        PrefillReport report = attend(attention, files, prefill(inputs, arena));
        files.commit();
        return new AttendReport(
            inputs.shape(), report, attention.backendName(), compute.threads(), outputs.all());
      }
    }
  }

  private Prefill prefill(AttendInputs inputs, Arena arena) {
    HeadTensor q = inputs.queries();
    long rows = (long) q.heads() * q.tokens();
    MemorySegment out = arena.allocate(rows * q.headDim() * q.type().bytes(), Long.BYTES);
    Prefill prefill =
        Prefill.of(
            q,
            inputs.keys(),
            inputs.values(),
            HeadTensor.contiguous(out, q.type(), q.heads(), q.tokens(), q.headDim()));
    prefill = scale.map(prefill::withSoftmaxScale).orElse(prefill);
    return outputs.wantLogSumExp()
        ? prefill.withLogSumExp(arena.allocate(rows * Float.BYTES, Long.BYTES))
        : prefill;
  }

  private PrefillReport attend(SparseAttention attention, AttendOutputs files, Prefill prefill)
      throws IOException {
    try (Progress _ = console().busy("attention")) {
      PrefillReport report = attention.prefill(heads.layer(), prefill);
      files.write(prefill);
      if (outputs.wantIndex()) {
        files.writeIndex(attention.indices(heads.layer(), prefill));
      }
      return report;
    }
  }
}
