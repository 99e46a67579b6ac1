package dev.heddle.llm;

/**
 * The weights of one decoder layer.
 *
 * @param attentionNorm before the projections to Q, K and V
 * @param query to Q
 * @param key to K
 * @param value to V
 * @param queryNorm of each head of Q; the identity where the family has none
 * @param keyNorm of each head of K; the identity where the family has none
 * @param output from the heads back to the hidden size
 * @param feedForwardNorm before the feed-forward part
 * @param gate to the numbers that open or close
 * @param up to the numbers that they are multiplied with
 * @param down from the products back to the hidden size
 */
record LayerWeights(
    RmsNorm attentionNorm,
    Projection query,
    Projection key,
    Projection value,
    HeadNorm queryNorm,
    HeadNorm keyNorm,
    Projection output,
    RmsNorm feedForwardNorm,
    Projection gate,
    Projection up,
    Projection down) {}
