package dev.heddle.llm;

import dev.heddle.api.InvalidInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The checked header of a safetensors file.
 *
 * @param tensors the tensors in the order of the header
 * @param metadata the free text that goes with them
 */
record SafetensorsHeader(List<Entry> tensors, Map<String, String> metadata) {
  private static final String METADATA_KEY = "__metadata__";

  /**
   * What the header says of one tensor.
   *
   * @param begin first byte, counted from the end of the header
   * @param end first byte behind it
   */
  record Entry(String name, TensorType type, List<Long> shape, long begin, long end) {}

  /**
   * Parses a header and checks that the tensors cover the data exactly: none overlaps another, none
   * leaves the file, and no byte is without an owner.
   *
   * @param file the file's name, for messages
   * @param json the header's bytes
   * @param dataBytes bytes of the file behind the header
   */
  static SafetensorsHeader parse(String file, byte[] json, long dataBytes) {
    if (json.length == 0 || json[0] != '{') {
      throw new InvalidInputException(file + ": header: it does not begin with '{'");
    }
    List<Entry> tensors = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    for (var member : JsonFiles.parseObject(file + ": header", json).members()) {
      if (member.getKey().equals(METADATA_KEY)) {
        member.getValue().members().forEach(m -> metadata.put(m.getKey(), m.getValue().string()));
      } else {
        tensors.add(entry(member.getKey(), member.getValue(), dataBytes));
      }
    }
    requireExactCover(file, tensors, dataBytes);
    return new SafetensorsHeader(List.copyOf(tensors), Map.copyOf(metadata));
  }

  private static Entry entry(String name, JsonPlace place, long dataBytes) {
    for (var member : place.members()) {
      if (!List.of("dtype", "shape", "data_offsets").contains(member.getKey())) {
        throw member.getValue().error("unknown key; allowed: dtype, shape, data_offsets");
      }
    }
    JsonPlace dtype = place.required("dtype");
    TensorType type =
        TensorType.named(dtype.string()).orElseThrow(() -> dtype.wrong(TensorType.names()));
    JsonPlace shapePlace = place.required("shape");
    List<Long> shape = shapePlace.elements().stream().map(JsonPlace::size).toList();
    JsonPlace offsetsPlace = place.required("data_offsets");
    List<Long> offsets = offsetsPlace.elements().stream().map(JsonPlace::size).toList();
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > dataBytes) {
      throw offsetsPlace.wrong(
          "[begin, end] with 0 <= begin <= end <= %d, the bytes behind the header"
              .formatted(dataBytes));
    }
    Entry entry = new Entry(name, type, shape, offsets.get(0), offsets.get(1));
    requireBytes(shapePlace, entry);
    return entry;
  }

  private static void requireBytes(JsonPlace shapePlace, Entry entry) {
    long bytes = entry.type().bytes();
    try {
      for (long size : entry.shape()) {
        bytes = Math.multiplyExact(bytes, size);
      }
    } catch (ArithmeticException overflow) {
      throw shapePlace.wrong("a product that fits 63 bits");
    }
    if (bytes != entry.end() - entry.begin()) {
      throw shapePlace.error(
          "%s of %s is %d bytes, but data_offsets [%d, %d] are %d"
              .formatted(
                  entry.shape(),
                  entry.type(),
                  bytes,
                  entry.begin(),
                  entry.end(),
                  entry.end() - entry.begin()));
    }
  }

  private static void requireExactCover(String file, List<Entry> tensors, long dataBytes) {
    List<Entry> sorted = new ArrayList<>(tensors);
    sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long covered = 0;
    String before = "the header";
    for (Entry entry : sorted) {
      String name = "tensor " + JsonPlace.quoted(entry.name());
      if (entry.begin() < covered) {
        throw new InvalidInputException(
            "%s: header: %s begins at byte %d, inside %s, which ends at %d"
                .formatted(file, name, entry.begin(), before, covered));
      }
      requireNoGap(file, before, covered, entry.begin());
      covered = entry.end();
      before = name;
    }
    requireNoGap(file, before, covered, dataBytes);
  }

  private static void requireNoGap(String file, String before, long covered, long next) {
    if (next != covered) {
      throw new InvalidInputException(
          "%s: header: the data bytes %d to %d behind %s belong to no tensor"
              .formatted(file, covered, next - 1, before));
    }
  }
}
