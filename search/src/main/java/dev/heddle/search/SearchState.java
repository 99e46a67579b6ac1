package dev.heddle.search;

import dev.heddle.api.InvalidInputException;
import dev.heddle.runtime.ModelShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import tools.jackson.core.JacksonException;

/**
 * What a search has measured so far, in a file that is extended by a line for each head: a
 * checksum, then JSON. The first line says which search it is.
 *
 * <p>A line that was cut off by the end of the process is dropped. A file with any other damage is
 * set aside under another name and the search starts anew.
 */
final class SearchState implements AutoCloseable {
  private static final String FORMAT = "heddle-search-state/1";
  private static final String DAMAGED = ".damaged";
  private static final int CHECKSUM_DIGITS = 8;

  private final FileChannel channel;
  private final Header header;
  private final Map<Place, HeadRecord> records = new HashMap<>();
  private final Map<Place, HeadWeight> weights = new HashMap<>();

  private SearchState(FileChannel channel, Header header) {
    this.channel = channel;
    this.header = header;
  }

  /**
   * Which search this is.
   *
   * @param search a digest of all that decides what is measured
   * @param costs what the search reckons with
   */
  record Header(String search, KernelCosts costs) {}

  /** Which head of which sample. */
  record Place(int sample, int layer, int head) {}

  /** What was measured of one head of one sample. */
  record HeadRecord(Place place, double denseNanos, List<Measured> measured) {
    HeadRecord {
      measured = List.copyOf(measured);
    }
  }

  /**
   * Continues {@code file}, if it is there.
   *
   * @param search the digest of the search that is to be done
   * @param costs what it is to reckon with; those of the file if empty
   * @param notes is told what was lost
   * @return empty if there is nothing to continue
   * @throws InvalidInputException if the file is the state of another search
   */
  static Optional<SearchState> resume(
      Path file, String search, Optional<KernelCosts> costs, Consumer<String> notes) {
    try {
      if (!Files.exists(file)) {
        return Optional.empty();
      }
      Optional<SearchState> state = resume(file, Files.readAllBytes(file), search, notes);
      state.ifPresent(found -> found.requireCosts(file, costs));
      return state;
    } catch (IOException failed) {
      throw new InvalidInputException(file + " cannot be read: " + failed, failed);
    }
  }

  private static Optional<SearchState> resume(
      Path file, byte[] bytes, String search, Consumer<String> notes) throws IOException {
    int whole = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf('\n') + 1;
    List<String> lines = new String(bytes, 0, whole, StandardCharsets.UTF_8).lines().toList();
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    Header header;
    List<String> heads = new ArrayList<>();
    try {
      header = SearchJson.header(FORMAT, checked(lines.getFirst()));
      for (String line : lines.subList(1, lines.size())) {
        String json = checked(line);
        SearchJson.requireRecord(json);
        heads.add(json);
      }
    } catch (InvalidInputException | JacksonException damaged) {
      setAside(file, heads.size() + 1, notes);
      return Optional.empty();
    }
    if (!header.search().equals(search)) {
      throw new InvalidInputException(
          file
              + " is the state of another search: of another model, other samples, budgets, patterns or"
              + " backend; remove it, or name another with --state");
    }
    if (whole < bytes.length) {
      notes.accept(file + ": the last line was cut off; that head is measured again");
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
    channel.truncate(whole);
    channel.position(whole);
    SearchState state = new SearchState(channel, header);
    heads.forEach(state::take);
    return Optional.of(state);
  }

  /** What was measured hangs on the costs: candidates were resized by them. */
  private void requireCosts(Path file, Optional<KernelCosts> wanted) {
    if (!wanted.orElse(costs()).equals(costs())) {
      close();
      throw new InvalidInputException(
          file
              + " is the state of a search with other costs; remove it, or name another with --state");
    }
  }

  private static void setAside(Path file, int line, Consumer<String> notes) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + DAMAGED);
    for (int i = 2; Files.exists(aside); i++) {
      aside = file.resolveSibling(file.getFileName() + DAMAGED + i);
    }
    Files.move(file, aside);
    notes.accept(
        "%s is damaged at line %d and was set aside as %s; the search starts anew"
            .formatted(file, line, aside.getFileName()));
  }

  /**
   * Starts {@code file} anew.
   *
   * @throws InvalidInputException if it cannot be written
   */
  static SearchState start(Path file, Header header) {
    try {
      FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
      SearchState state = new SearchState(channel, header);
      state.append(SearchJson.text(SearchJson.json(FORMAT, header)));
      return state;
    } catch (IOException failed) {
      throw new InvalidInputException(
          file + " cannot be written: its folder refuses new files (" + failed + ")", failed);
    }
  }

  private void take(String json) {
    SearchJson.headWeight(json)
        .ifPresentOrElse(
            weight -> weights.put(new Place(0, weight.layer(), weight.head()), weight),
            () -> {
              HeadRecord head = SearchJson.headRecord(json);
              records.put(head.place(), head);
            });
  }

  KernelCosts costs() {
    return header.costs();
  }

  /** What was measured at {@code place}. */
  Optional<HeadRecord> get(Place place) {
    return Optional.ofNullable(records.get(place));
  }

  /** Whether all heads of a sample have been measured. */
  boolean hasAll(int sample, ModelShape shape) {
    return IntStream.range(0, shape.layers() * shape.queryHeads())
        .allMatch(i ->
            records.containsKey(new Place(sample, i / shape.queryHeads(), i % shape.queryHeads())));
  }

  /** Adds a head, in the file too. */
  void add(HeadRecord head) {
    append(SearchJson.text(SearchJson.json(head)));
    records.put(head.place(), head);
  }

  /** What a head does to the model, if that has been measured. */
  Optional<HeadWeight> weight(int layer, int head) {
    return Optional.ofNullable(weights.get(new Place(0, layer, head)));
  }

  /** Adds what a head does to the model, in the file too. */
  void add(HeadWeight weight) {
    append(SearchJson.text(weight.json()));
    weights.put(new Place(0, weight.layer(), weight.head()), weight);
  }

  private void append(String json) {
    byte[] line = (checksum(json) + " " + json + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      for (ByteBuffer rest = ByteBuffer.wrap(line); rest.hasRemaining(); ) {
        channel.write(rest);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException("the state of the search cannot be written", failed);
    }
  }

  private static String checked(String line) {
    int start = CHECKSUM_DIGITS + 1;
    if (line.length() < start
        || !line.substring(0, CHECKSUM_DIGITS).equals(checksum(line.substring(start)))) {
      throw new InvalidInputException("a line is damaged");
    }
    return line.substring(start);
  }

  private static String checksum(String json) {
    CRC32 crc = new CRC32();
    crc.update(json.getBytes(StandardCharsets.UTF_8));
    return "%08x".formatted(crc.getValue());
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException failed) {
      throw new UncheckedIOException("the state of the search cannot be closed", failed);
    }
  }
}
