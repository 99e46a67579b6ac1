// Attention that reads an index as compressed rows: how the device computes any BlockIndex. See
// heddle/attention.cuh for formula, tensors and launch geometry.

#include "heddle/attention.cuh"
#include "heddle/count_cells.cuh"

HEDDLE_ATTENTION_KERNELS(rows, heddle::RowKeys)

// See heddle/count_cells.cuh.
extern "C" __global__ void heddle_count_cells(const __grid_constant__ heddle::CountCellsParams p) {
  heddle::countCells(p);
}
