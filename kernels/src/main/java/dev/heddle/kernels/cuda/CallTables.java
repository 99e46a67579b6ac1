package dev.heddle.kernels.cuda;

import dev.heddle.api.GpuCall;
import dev.heddle.api.GpuHead;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTables;
import dev.heddle.api.InvalidInputException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Uploads the tables that describe the calls of a layer: one allocation and one copy. */
final class CallTables {
  private static final int SEQUENCE_FIELDS = 4;

  private CallTables() {}

  /** The most that the tables take, those for any device included. */
  static long bytes(GpuCall call) {
    return tableBytes(call) + TensorMaps.BYTES;
  }

  /** Bytes of the tables that every device has, rounded up to where others may follow. */
  private static long tableBytes(GpuCall call) {
    long integers =
        (long) call.layer().sequences().size() * SEQUENCE_FIELDS
            + (long) call.heads().size() * (1 + optionCount(call));
    return Math.ceilDiv(integers * Integer.BYTES, TensorMaps.ALIGNMENT)
        * (long) TensorMaps.ALIGNMENT;
  }

  /** Uploads the tables of each of a layer's calls. */
  static List<GpuTables> upload(List<GpuCall> calls, WorkQueue queue) {
    GpuLayer layer = calls.getFirst().layer();
    boolean isHopper = queue.device().runsHopperKernels() && TensorMaps.suit(layer);
    byte[] maps = isHopper ? TensorMaps.of(layer, queue.device().driver()) : new byte[0];
    ByteBuffer bytes = buffer(calls.stream().mapToLong(CallTables::bytes).sum());
    calls.forEach(call -> bytes.put(pack(call)).put(maps));
    long next = queue.allocate(bytes.flip().remaining());
    queue.upload(MemorySegment.ofBuffer(bytes), next);
    List<GpuTables> tables = new ArrayList<>();
    for (GpuCall call : calls) {
      tables.add(tables(call, next, isHopper));
      next += tableBytes(call) + maps.length;
    }
    return tables;
  }

  private static GpuTables tables(GpuCall call, long sequences, boolean isHopper) {
    // int4 loads need sequences aligned to 16 bytes: they come first.
    long heads =
        sequences + (long) call.layer().sequences().size() * SEQUENCE_FIELDS * Integer.BYTES;
    long options = heads + (long) call.heads().size() * Integer.BYTES;
    long hopper = isHopper ? sequences + tableBytes(call) : 0;
    return new GpuTables(sequences, heads, options, optionCount(call), hopper);
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
  }

  /** The tables that every device has. */
  static ByteBuffer pack(GpuCall call) {
    ByteBuffer bytes = buffer(tableBytes(call));
    for (GpuSequence sequence : call.layer().sequences()) {
      bytes.putInt(sequence.firstQuery()).putInt(sequence.queryTokens());
      bytes.putInt(sequence.firstKey()).putInt(sequence.keyTokens());
    }
    call.heads().forEach(head -> bytes.putInt(head.queryHead()));
    for (GpuHead head : call.heads()) {
      options(head).forEach(value -> putOption(value, bytes));
    }
    return bytes.rewind();
  }

  private static void putOption(Object value, ByteBuffer bytes) {
    switch (value) {
      case Integer count -> bytes.putInt(count);
      case Boolean flag -> bytes.putInt(flag ? 1 : 0);
      case Double fraction -> bytes.putFloat(fraction.floatValue());
      default ->
          throw new InvalidInputException(
              "an option of type %s cannot be handed to a kernel"
                  .formatted(value.getClass().getName()));
    }
  }

  private static int optionCount(GpuCall call) {
    return options(call.heads().getFirst()).size();
  }

  private static Collection<Object> options(GpuHead head) {
    return head.options().toMap().values();
  }
}
