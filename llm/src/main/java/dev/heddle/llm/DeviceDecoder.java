package dev.heddle.llm;

import dev.heddle.api.GpuLayer;
import dev.heddle.kernels.GpuMatrix;
import dev.heddle.kernels.GpuStream;
import dev.heddle.llm.PartTimes.Part;
import dev.heddle.runtime.PrefillReport;
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

  DeviceDecoder(ModelConfig config, DeviceWeights weights, GpuStream stream) {
    this.config = config;
    this.weights = weights;
    this.stream = stream;
    this.kernels = new DecoderKernels(stream, weights.type());
    this.heads = new HeadKernels(stream, config.attention(), weights.type());
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
    pass.times().time(Part.OTHER, () -> embed(tokens, pass));
    List<PrefillReport> reports = new ArrayList<>();
    int layers = weights.layers().size();
    for (int number = 0; number < layers; number++) {
      Interruptions.check();
      DeviceLayer layer = weights.layers().get(number);
      project(number, layer, pass);
      progress.onProgress(number, (number + 1 / PARTS) / layers);
      int attending = number;
      pass.times().time(Part.ATTENTION, () -> attend(attending, pass, reports));
      progress.onProgress(number, (number + 2 / PARTS) / layers);
      finish(layer, pass, number == layers - 1 ? firstNeeded : 0);
      progress.onProgress(number, (number + 1.0) / layers);
    }
    pass.cache().advance(pass.tokens());
    return reports;
  }

  /** The logits at {@code positions} of the pass, in that order. Waits for the device. */
  Logits logits(DevicePass pass, int[] positions) {
    float[][] rows = new float[positions.length][config.vocabularySize()];
    DeviceActivations memory = pass.memory();
    for (int first = 0; first < positions.length; first += memory.last().rows()) {
      int count = Math.min(memory.last().rows(), positions.length - first);
      int from = first;
      pass.times().time(Part.OTHER, () -> project(positions, from, count, memory));
      for (int i = 0; i < count; i++) {
        stream.download(
            memory.logits().slice(i, 1).address(), MemorySegment.ofArray(rows[first + i]));
      }
    }
    return new Logits(rows);
  }

  private void project(int[] positions, int from, int count, DeviceActivations memory) {
    for (int i = 0; i < count; i++) {
      GpuMatrix row = memory.hidden().slice(positions[from + i], 1);
      kernels.norm(row, weights.finalNorm(), memory.last().slice(i, 1).address());
    }
    stream.multiply(
        memory.last().slice(0, count), weights.output(), memory.logits().slice(0, count), false);
  }

  private void embed(int[] tokens, DevicePass pass) {
    DeviceActivations memory = pass.memory();
    stream.upload(MemorySegment.ofArray(tokens), memory.tokens().address());
    kernels.embed(memory.tokens().address(), weights.embedding(), memory.hidden());
    kernels.angles(
        weights.frequencies(),
        memory.angles().address(),
        pass.tokens(),
        pass.cache().tokens(),
        config.attention().headDim() / 2);
  }

  /** Makes Q of the whole pass, and its K and V behind those in the cache. */
  private void project(int number, DeviceLayer layer, DevicePass pass) {
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
          times.time(
              Part.OTHER,
              () ->
                  heads.split(
                      rows, layer, pass.cache().layer(number), pass.cache().tokens() + first));
        });
  }

  private void attend(int number, DevicePass pass, List<PrefillReport> reports) {
    DeviceActivations memory = pass.memory();
    DeviceKeyValueCache.Layer cached = pass.cache().layer(number);
    if (pass.decoding()) {
      heads.decode(
          memory.queries().address(),
          cached,
          pass.keyTokens(),
          memory.scratch(),
          memory.attended().address());
      return;
    }
    GpuLayer layer = pass.layer(number, weights.type());
    reports.add(pass.attention().prefillAndWait(number, layer, stream.handle()));
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
