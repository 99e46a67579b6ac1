package dev.heddle.llm;

import dev.heddle.kernels.GpuRecording;
import dev.heddle.kernels.GpuStream;
import java.util.Optional;

/**
 * Writes one token after the other behind the text in a cache. What is launched for a token is the
 * same for all: the second token's launches are recorded, and replayed from then on. The first
 * token's are not, because it chooses algorithms and loads kernels.
 *
 * <p>For one thread at a time; the engine sees to it.
 */
final class DeviceTokenPass implements AutoCloseable {
  private static final int[] ONLY = {0};

  private final DeviceEngine engine;
  private final DeviceDecoder decoder;
  private final GpuStream stream;
  private final DevicePass pass;
  private final long address;
  private Optional<GpuRecording> recording = Optional.empty();
  private boolean isFirst = true;

  /**
   * Makes one.
   *
   * @param address where the activations of {@code pass} lie; given back in the end
   */
  DeviceTokenPass(
      DeviceEngine engine, DeviceDecoder decoder, GpuStream stream, DevicePass pass, long address) {
    this.engine = engine;
    this.decoder = decoder;
    this.stream = stream;
    this.pass = pass;
    this.address = address;
  }

  /** Reads {@code token}, and gives the logits behind it. */
  Logits next(int token, boolean replaying) {
    decoder.place(token, pass);
    if (isFirst || !replaying || !pass.cache().canReplay()) {
      queue();
    } else {
      GpuRecording launches = recording.orElseGet(() -> stream.record(this::queue));
      recording = Optional.of(launches);
      launches.replay();
    }
    isFirst = false;
    pass.cache().advance(1);
    return decoder.download(pass, 1);
  }

  private void queue() {
    decoder.queue(pass, 0, PrefillProgress.SILENT);
    decoder.queueLogits(ONLY, 0, 1, pass);
  }

  @Override
  public void close() {
    try {
      recording.ifPresent(engine::close);
    } finally {
      engine.free(address);
    }
  }
}
