package dev.heddle.kernels.cuda;

import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.kernels.cuda.PinnedBuffer.DeviceRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * Copies head tensors between host memory of any strides and contiguous device memory, through
 * pinned buffers: one is filled or emptied while the other is copied.
 *
 * <p>A row on the device may be longer than on the host: what is beyond is zeros, which change no
 * score and no output.
 */
record HostTransfer(WorkQueue queue) {
  /** A cache line: host readers load vectors. */
  private static final int ALIGNMENT_BYTES = 64;

  /** Takes device memory for a tensor like {@code host} with rows of {@code headDim} numbers. */
  GpuTensor allocate(HeadTensor host, int headDim) {
    long bytes = bytes(host, headDim);
    return GpuTensor.contiguous(
        queue.allocate(bytes), host.type(), host.heads(), host.tokens(), headDim);
  }

  /** Bytes that {@link #allocate} takes. */
  static long bytes(HeadTensor host, int headDim) {
    return (long) host.heads() * host.tokens() * headDim * host.type().bytes();
  }

  /** Copies {@code host} to newly taken device memory. */
  GpuTensor upload(HeadTensor host, int headDim) {
    GpuTensor device = allocate(host, headDim);
    upload(host, device);
    return device;
  }

  /** Copies {@code host} to {@code device}, which is contiguous. */
  void upload(HeadTensor host, GpuTensor device) {
    Rows rows = new Rows(host, device.headDim());
    for (long first = 0; first < rows.count(); first += rows.perBuffer()) {
      long count = Math.min(rows.perBuffer(), rows.count() - first);
      PinnedBuffer staging = queue.nextStaging();
      rows.gather(first, count, staging.await());
      staging.copyTo(
          device.address() + first * rows.deviceBytes(),
          count * rows.deviceBytes(),
          queue.stream());
    }
  }

  /** Waits for what is queued and copies {@code device} to {@code host}. */
  void download(GpuTensor device, HeadTensor host) {
    Rows rows = new Rows(host, device.headDim());
    PinnedBuffer filling = queue.nextStaging();
    long firstFilling = 0;
    fetch(device, rows, firstFilling, filling);
    while (firstFilling < rows.count()) {
      long first = firstFilling;
      PinnedBuffer filled = filling;
      firstFilling += rows.perBuffer();
      if (firstFilling < rows.count()) {
        filling = queue.nextStaging();
        fetch(device, rows, firstFilling, filling);
      }
      rows.scatter(filled.await(), first, Math.min(rows.perBuffer(), rows.count() - first));
    }
  }

  /**
   * Waits for what is queued and copies some heads of {@code device} to new memory of {@code
   * arena}, one after the other, {@code [heads.size()][tokens][headDim]}.
   */
  HeadTensor download(GpuTensor device, List<Integer> heads, Arena arena) {
    long rowBytes = (long) device.headDim() * device.type().bytes();
    long headBytes = device.tokens() * rowBytes;
    MemorySegment memory = arena.allocate(heads.size() * headBytes, ALIGNMENT_BYTES);
    for (int i = 0; i < heads.size(); i++) {
      long first = device.address() + heads.get(i) * device.headStride() * device.type().bytes();
      download(device, first, memory.asSlice(i * headBytes, headBytes));
    }
    return HeadTensor.contiguous(
        memory, device.type(), heads.size(), device.tokens(), device.headDim());
  }

  /** Copies the rows of one head; one buffer is emptied while the other is filled. */
  private void download(GpuTensor device, long firstRow, MemorySegment target) {
    long rowBytes = (long) device.headDim() * device.type().bytes();
    long pitchBytes = device.tokenStride() * device.type().bytes();
    long perBuffer = Lane.STAGING_BYTES / rowBytes;
    Optional<Filled> filled = Optional.empty();
    for (long row = 0; row < device.tokens(); row += perBuffer) {
      long count = Math.min(perBuffer, device.tokens() - row);
      PinnedBuffer staging = queue.nextStaging();
      staging.await();
      staging.copyFrom(
          firstRow + row * pitchBytes, new DeviceRows(count, rowBytes, pitchBytes), queue.stream());
      filled.ifPresent(earlier -> earlier.empty(target));
      filled = Optional.of(new Filled(staging, row * rowBytes, count * rowBytes));
    }
    filled.ifPresent(last -> last.empty(target));
  }

  /** A buffer that is being filled, and where its bytes belong. */
  private record Filled(PinnedBuffer buffer, long offset, long bytes) {
    void empty(MemorySegment target) {
      MemorySegment.copy(buffer.await(), 0, target, offset, bytes);
    }
  }

  private void fetch(GpuTensor device, Rows rows, long first, PinnedBuffer staging) {
    long count = Math.min(rows.perBuffer(), rows.count() - first);
    staging.await();
    staging.copyFrom(
        device.address() + first * rows.deviceBytes(), count * rows.deviceBytes(), queue.stream());
  }

  /** The rows of all heads of {@code host}, head after head, as they lie on the device. */
  record Rows(HeadTensor host, int headDim) {
    long count() {
      return (long) host.heads() * host.tokens();
    }

    long deviceBytes() {
      return (long) headDim * host.type().bytes();
    }

    long perBuffer() {
      return Lane.STAGING_BYTES / deviceBytes();
    }

    /** Copies {@code count} rows from row {@code first} on to the start of {@code target}. */
    void gather(long first, long count, MemorySegment target) {
      if (headDim > host.headDim()) {
        target.asSlice(0, count * deviceBytes()).fill((byte) 0);
      }
      forEachRun(
          first,
          count,
          (hostOffset, row, bytes) ->
              MemorySegment.copy(host.memory(), hostOffset, target, row * deviceBytes(), bytes));
    }

    /** Copies {@code count} rows from the start of {@code source} to row {@code first} on. */
    void scatter(MemorySegment source, long first, long count) {
      forEachRun(
          first,
          count,
          (hostOffset, row, bytes) ->
              MemorySegment.copy(source, row * deviceBytes(), host.memory(), hostOffset, bytes));
    }

    /** Splits rows into runs that are contiguous on both sides. */
    private void forEachRun(long first, long count, Run run) {
      boolean contiguous = host.tokenStride() == headDim && host.headDim() == headDim;
      long row = 0;
      while (row < count) {
        int head = Math.toIntExact((first + row) / host.tokens());
        int token = Math.toIntExact((first + row) % host.tokens());
        long rows = contiguous ? Math.min(count - row, host.tokens() - token) : 1;
        long element = head * host.headStride() + token * host.tokenStride();
        run.copy(element * host.type().bytes(), row, rows * host.headDim() * host.type().bytes());
        row += rows;
      }
    }

    /** One copy of neighbouring bytes. */
    private interface Run {
      void copy(long hostOffsetBytes, long row, long bytes);
    }
  }
}
