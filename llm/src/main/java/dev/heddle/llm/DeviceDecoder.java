package dev.heddle.llm;

import dev.heddle.api.GpuLayer;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.PartTimes.Part;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The layers on a device, between the embedding of tokens and the logits. */
final class DeviceDecoder {
  private static final double PARTS = 3;

  private final ModelConfig config;
  private final DeviceWeights weights;
  private final GpuStream stream;
  private final DecoderKernels kernels;
  private final HeadKernels heads;
  private final DecodeKernels decoding;

  DeviceDecoder(ModelConfig config, DeviceWeights weights, GpuStream stream) {
    this.config = config;
    this.weights = weights;
    this.stream = stream;
    this.kernels = new DecoderKernels(stream, weights.type());
    this.heads = new HeadKernels(stream, config.attention(), weights.type());
    this.decoding = new DecodeKernels(stream, config.attention(), weights.type());
  }

  /** The kernels that read and fill caches. */
  DecodeKernels cacheKernels() {
    return decoding;
  }

  /**
   * Queues the pass of {@code tokens} through all layers and leaves their keys and values in the
   * cache.
   *
   * @param firstNeeded the first token whose output is read: the last layer need not finish those
   *     before
   */
  List<PrefillReport> run(
      int[] tokens, DevicePass pass, int firstNeeded, PrefillProgress progress) {
    stream.upload(MemorySegment.ofArray(tokens), pass.memory().tokens().address());
    List<PrefillReport> reports = queue(pass, firstNeeded, progress);
    pass.cache().advance(pass.tokens());
    return reports;
  }

  /** Uploads the one token of {@code pass} and its place, all that changes between tokens. */
  void place(int token, DevicePass pass) {
    int[] both = {token, pass.cache().tokens()};
    stream.upload(MemorySegment.ofArray(both), pass.memory().tokens().address());
  }

  /** Queues what follows the upload of the tokens. */
  List<PrefillReport> queue(DevicePass pass, int firstNeeded, PrefillProgress progress) {
    pass.times().time(Part.OTHER, () -> embed(pass));
    List<PrefillReport> reports = new ArrayList<>();
    int layers = weights.layers().size();
    for (int number = 0; number < layers; number++) {
      Interruptions.check();
      DeviceLayer layer = weights.layers().get(number);
      DeviceKeyValueCache.Layer opened = pass.cache().open(number, pass.decoding());
      project(layer, pass, opened);
      int attending = number;
      pass.times()
          .time(
              Part.OTHER, () -> pass.cache().keep(attending, opened, pass.first(), pass.tokens()));
      progress.onProgress(number, (number + 1 / PARTS) / layers);
      pass.times().time(Part.ATTENTION, () -> attend(attending, opened, pass, reports));
      progress.onProgress(number, (number + 2 / PARTS) / layers);
      finish(layer, pass, number == layers - 1 ? firstNeeded : 0);
      progress.onProgress(number, (number + 1.0) / layers);
    }
    return reports;
  }

  /** The logits at {@code positions} of the pass, in that order. Waits for the device. */
  Logits logits(DevicePass pass, int[] positions) {
    float[][] rows = new float[positions.length][config.vocabularySize()];
    DeviceActivations memory = pass.memory();
    for (int first = 0; first < positions.length; first += memory.last().rows()) {
      int count = Math.min(memory.last().rows(), positions.length - first);
      queueLogits(positions, first, count, pass);
      download(memory, rows, first, count);
    }
    return new Logits(rows);
  }

  /** The logits at the first {@code positions} positions that were queued. Waits for the device. */
  Logits download(DevicePass pass, int positions) {
    float[][] rows = new float[positions][config.vocabularySize()];
    download(pass.memory(), rows, 0, positions);
    return new Logits(rows);
  }

  private void download(DeviceActivations memory, float[][] rows, int first, int count) {
    for (int i = 0; i < count; i++) {
      stream.download(
          memory.logits().slice(i, 1).address(), MemorySegment.ofArray(rows[first + i]));
    }
  }

  /** Queues the logits at positions number {@code from} to {@code from + count - 1}. */
  void queueLogits(int[] positions, int from, int count, DevicePass pass) {
    pass.times().time(Part.OTHER, () -> project(positions, from, count, pass.memory()));
  }

  private void project(int[] positions, int from, int count, DeviceActivations memory) {
    for (int i = 0; i < count; i++) {
      GpuMatrix row = memory.hidden().slice(positions[from + i], 1);
      kernels.norm(row, weights.finalNorm(), memory.last().slice(i, 1).address());
    }
    stream.multiply(
        memory.last().slice(0, count), weights.output(), memory.logits().slice(0, count), false);
  }

  private void embed(DevicePass pass) {
    DeviceActivations memory = pass.memory();
    kernels.embed(memory.tokens().address(), weights.embedding(), memory.hidden());
    kernels.angles(weights.frequencies(), memory.angles(), pass.first());
  }

  /** Makes Q of the whole pass, and its K and V behind those in the cache. */
  private void project(DeviceLayer layer, DevicePass pass, DeviceKeyValueCache.Layer opened) {
    DeviceActivations memory = pass.memory();
    PartTimes times = pass.times();
    pass.forChunks(
        0,
        (first, count) -> {
          GpuMatrix normalised = memory.normalised().slice(0, count);
          GpuMatrix projected = memory.projected().slice(0, count);
          times.time(
              Part.OTHER,
              () ->
                  kernels.norm(
                      memory.hidden().slice(first, count),
                      layer.attentionNorm(),
                      normalised.address()));
          times.time(
              Part.PROJECTIONS,
              () -> stream.multiply(normalised, layer.queryKeyValue(), projected, false));
          HeadKernels.Rows rows =
              new HeadKernels.Rows(
                  projected.address(),
                  memory.angles().slice(first, 1).address(),
                  memory.queries().slice(first, 1).address(),
                  count);
          times.time(Part.OTHER, () -> heads.split(rows, layer, opened, pass.first().plus(first)));
        });
  }

  private void attend(
      int number, DeviceKeyValueCache.Layer opened, DevicePass pass, List<PrefillReport> reports) {
    DeviceActivations memory = pass.memory();
    if (pass.decoding()) {
      DecodeKernels.Query query =
          new DecodeKernels.Query(
              memory.queries().address(),
              memory.position(),
              memory.scratch(),
              memory.attended().address());
      pass.cache().decode(opened, decoding, query);
      return;
    }
    GpuLayer layer = pass.layer(opened, weights.type());
    SparseAttention attention = pass.attention().orElseThrow();
    reports.add(attention.prefillAndWait(number, layer, stream.handle()));
  }

  /** Adds what attention found, and the feed-forward part, for the tokens from {@code from} on. */
  private void finish(DeviceLayer layer, DevicePass pass, int from) {
    DeviceActivations memory = pass.memory();
    PartTimes times = pass.times();
    pass.forChunks(
        from,
        (first, count) -> {
          GpuMatrix hidden = memory.hidden().slice(first, count);
          GpuMatrix attended = memory.attended().slice(first, count);
          GpuMatrix normalised = memory.normalised().slice(0, count);
          GpuMatrix gateUp = memory.gateUp().slice(0, count);
          times.time(
              Part.PROJECTIONS,
              () -> {
                stream.multiply(attended, layer.output(), hidden, true);
                kernels.addBias(hidden, layer.outputBias());
              });
          times.time(
              Part.OTHER,
              () -> kernels.norm(hidden, layer.feedForwardNorm(), normalised.address()));
          times.time(
              Part.FEED_FORWARD,
              () -> {
                stream.multiply(normalised, layer.gateUp(), gateUp, false);
                kernels.gate(gateUp, layer.gateUpBias());
                GpuMatrix opened = gateUp.left(config.intermediateSize());
                stream.multiply(opened, layer.down(), hidden, true);
                kernels.addBias(hidden, layer.downBias());
              });
        });
  }
}
