// Dense attention: every query reads every key up to its own position. See heddle/attention.cuh for
// formula, tensors and launch geometry.

#include "heddle/attention.cuh"

HEDDLE_ATTENTION_KERNELS(dense, heddle::DenseKeys)
