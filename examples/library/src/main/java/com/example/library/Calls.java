package com.example.library;

import dev.heddle.api.BlockShape;
import dev.heddle.api.GpuLayer;
import dev.heddle.api.GpuSequence;
import dev.heddle.api.GpuTensor;
import dev.heddle.api.HeadTensor;
import dev.heddle.runtime.PrefillReport;
import dev.heddle.runtime.SparseAttention;
import java.util.List;

/** Attention of one layer. */
final class Calls {
  private Calls() {}

  static PrefillReport onHostMemory(SparseAttention attention, int layer, Layer tensors) {
    return attention.prefill(layer, tensors.q(), tensors.k(), tensors.v(), tensors.out());
  }

  static void onDeviceMemory(SparseAttention attention, int layer, Layer host, DeviceMemory gpu) {
    long out = gpu.allocate(host.out().memory().byteSize());
    GpuLayer tensors =
        new GpuLayer(
            at(gpu.copyIn(host.q().memory()), host.q()),
            at(gpu.copyIn(host.k().memory()), host.k()),
            at(gpu.copyIn(host.v().memory()), host.v()),
            at(out, host.out()),
            0, // no log-sum-exp is wanted
            (float) (1 / Math.sqrt(host.q().headDim())),
            BlockShape.DEFAULT,
            List.of(GpuSequence.whole(host.q().tokens(), host.k().tokens())));
    attention.prefill(layer, tensors, gpu.stream()); // queued: nothing has been computed yet
    gpu.copyOut(out, host.out().memory());
  }

  private static GpuTensor at(long address, HeadTensor host) {
    return GpuTensor.contiguous(address, host.type(), host.heads(), host.tokens(), host.headDim());
  }
}
