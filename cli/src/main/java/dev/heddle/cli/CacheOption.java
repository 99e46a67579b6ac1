package dev.heddle.cli;

import dev.heddle.llm.CacheKind;
import dev.heddle.llm.LlamaModel;
import picocli.CommandLine.Option;

/** Where keys and values are kept. */
final class CacheOption {
  @Option(
      names = "--kv-cache",
      paramLabel = "KIND",
      description =
          "Where a model on a GPU keeps keys and values: device (its memory, in 16 bits), device-fp8"
              + " (there, in 8-bit floats), host or host-fp8 (likewise in the machine's memory; a"
              + " layer's are copied while the one before computes), or auto (the default): the first"
              + " of these that fits.")
  private String kind = "auto";

  /** {@code settings} with what the option says. */
  LlamaModel.Settings in(LlamaModel.Settings settings) {
    return CacheKind.parse(kind).map(settings::withCacheKind).orElse(settings);
  }
}
