/**
 * The CPU product: tiled online softmax in float32 on the Vector API. The only package that imports
 * it.
 */
@NullMarked
package dev.heddle.kernels.vector;

import org.jspecify.annotations.NullMarked;
