package dev.heddle.cli;

import dev.heddle.api.ElementType;
import dev.heddle.api.HeadTensor;
import dev.heddle.api.InvalidInputException;
import dev.heddle.cli.ArrayOutput.Form;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Where the results of {@code attend} go. */
final class OutputOptions {
  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "Receives the output, [head][token][dim].")
  private Path out = Path.of(""); // required: always set

  @Option(
      names = "--lse-out",
      paramLabel = "FILE",
      description = "Receives the log-sum-exp of each query's scores, float32 [head][token].")
  private Optional<Path> logSumExp = Optional.empty();

  @Option(
      names = "--index-out",
      paramLabel = "FILE",
      description = "Receives the key blocks and columns that each query block reads, as JSON.")
  private Optional<Path> index = Optional.empty();

  boolean wantLogSumExp() {
    return logSumExp.isPresent();
  }

  boolean wantIndex() {
    return index.isPresent();
  }

  /** The files, in the order of the options. */
  List<Path> all() {
    return Stream.of(Optional.of(out), logSumExp, index).flatMap(Optional::stream).toList();
  }

  /**
   * Checks that no two outputs are one file.
   *
   * @throws InvalidInputException if two are
   */
  void requireDistinct() {
    List<Path> files = all().stream().map(file -> file.toAbsolutePath().normalize()).toList();
    if (files.stream().distinct().count() < files.size()) {
      throw new InvalidInputException("two outputs would be the same file: " + all());
    }
  }

  /**
   * Opens the files, before anything is computed.
   *
   * @param queries Q, whose shape and element type the output has
   * @throws InvalidInputException if one cannot be written
   */
  AttendOutputs open(HeadTensor queries) throws IOException {
    long heads = queries.heads();
    long tokens = queries.tokens();
    Form outForm =
        new Form("out", queries.type(), List.of(heads, tokens, (long) queries.headDim()));
    Form lseForm = new Form("lse", ElementType.FLOAT32, List.of(heads, tokens));
    StagedFiles files = new StagedFiles();
    try {
      return new AttendOutputs(
          files,
          ArrayOutput.open(files, out, outForm),
          logSumExp.map(file -> ArrayOutput.open(files, file, lseForm)),
          index.map(file -> files.open(file, 0)));
    } catch (RuntimeException refused) {
      files.close();
      throw refused;
    }
  }
}
