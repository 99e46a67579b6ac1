/**
 * The backends' common face: what is computed ({@link dev.heddle.kernels.AttentionCall}), by whom
 * ({@link dev.heddle.kernels.AttentionBackend}), and which backends can run here ({@link
 * dev.heddle.kernels.Backends}).
 *
 * <p>Host memory is native-endian and the caller's. Offsets and strides are in elements, tokens in
 * {@code int}.
 */
@NullMarked
package dev.heddle.kernels;

import org.jspecify.annotations.NullMarked;
