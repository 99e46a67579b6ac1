package dev.heddle.llm;

import dev.heddle.kernels.GpuMatrix;

/**
 * The weights of one decoder layer in device memory. Matrices that read the same numbers lie behind
 * each other, so that one product computes them all. Biases are float32 addresses, 0 for none.
 *
 * @param attentionNorm before the projections to Q, K and V
 * @param queryKeyValue to Q, K and V: {@code [query width + 2 · key/value width][hidden]}
 * @param queryKeyValueBias of all three
 * @param queryNorm of each head of Q
 * @param keyNorm of each head of K
 * @param output from the heads back to the hidden size
 * @param outputBias of {@code output}
 * @param feedForwardNorm before the feed-forward part
 * @param gateUp {@code [2 · intermediate][hidden]}: gate, then up
 * @param gateUpBias of both
 * @param down from the products back to the hidden size
 * @param downBias of {@code down}
 */
record DeviceLayer(
    DeviceNorm attentionNorm,
    GpuMatrix queryKeyValue,
    long queryKeyValueBias,
    DeviceNorm queryNorm,
    DeviceNorm keyNorm,
    GpuMatrix output,
    long outputBias,
    DeviceNorm feedForwardNorm,
    GpuMatrix gateUp,
    long gateUpBias,
    GpuMatrix down,
    long downBias) {}
