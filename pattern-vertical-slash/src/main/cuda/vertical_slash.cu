// Vertical-Slash: every query reads the same few columns, and the keys at the same few offsets before
// itself; both are those to which the last queries of the prompt pay the most attention.
//
// The index is built in these steps, queued one after the other:
//   probe_statistics, combine_statistics, probe_sums   what the probes attend to, for each 64 (probe.cuh)
//   digits, mark, select                               columns and offsets that are kept (selection.cuh)
//   count, scan, emit                                  rows of the index (row_pieces.cuh, rows.cuh)
// Between scan and emit the host reads how many entries there are.
// options[slot]: {verticals, slashes, probe-queries, sink, local}.

#include "heddle/attention.cuh"
#include "probe.cuh"
#include "probe_hopper.cuh"
#include "rows.cuh"
#include "selection.cuh"

using vertical_slash::VerticalSlashParams;

#define PROBE_KERNELS(type, Element, dim)                                                          \
  extern "C" __global__ void                                                                       \
  __launch_bounds__(vertical_slash::ProbeShape<Element, dim>::kThreads, 1)                         \
      heddle_vertical_slash_probe_statistics_##type##_##dim(                                       \
          const __grid_constant__ VerticalSlashParams p) {                                         \
    const vertical_slash::Probe<Element, dim> probe(p, heddle::sharedMemory);                      \
    if (!probe.isEmpty()) {                                                                        \
      probe.findStatistics();                                                                      \
    }                                                                                              \
  }                                                                                                \
  extern "C" __global__ void                                                                       \
  __launch_bounds__(vertical_slash::ProbeShape<Element, dim>::kThreads, 1)                         \
      heddle_vertical_slash_probe_sums_##type##_##dim(const __grid_constant__ VerticalSlashParams p) { \
    const vertical_slash::Probe<Element, dim> probe(p, heddle::sharedMemory);                      \
    if (!probe.isEmpty()) {                                                                        \
      probe.addWeights();                                                                          \
    }                                                                                              \
  }

#define PROBE_KERNELS_OF_TYPE(type, Element) \
  PROBE_KERNELS(type, Element, 64)           \
  PROBE_KERNELS(type, Element, 96)           \
  PROBE_KERNELS(type, Element, 128)          \
  PROBE_KERNELS(type, Element, 256)

PROBE_KERNELS_OF_TYPE(f16, heddle::Half)
PROBE_KERNELS_OF_TYPE(bf16, heddle::BFloat)
PROBE_KERNELS_OF_TYPE(f32, float)

#ifdef HEDDLE_HOPPER
#define HOPPER_PROBE_KERNEL(type, Element, dim, name, method)                                        \
  extern "C" __global__ void __launch_bounds__(256, 1)                                               \
      heddle_vertical_slash_##name##_hopper_##type##_##dim(const __grid_constant__ VerticalSlashParams p) { \
    vertical_slash::HopperProbe<vertical_slash::HopperProbeShape<Element, dim>> probe(               \
        p, heddle::sharedMemory);                                                                    \
    if (!probe.isEmpty()) {                                                                          \
      probe.begin();                                                                                 \
      probe.method();                                                                                \
    }                                                                                                \
  }
#define HOPPER_PROBE_KERNELS(type, Element, dim)                             \
  HOPPER_PROBE_KERNEL(type, Element, dim, probe_statistics, findStatistics)  \
  HOPPER_PROBE_KERNEL(type, Element, dim, probe_sums, addWeights)
#define HOPPER_PROBE_KERNELS_OF_TYPE(type, Element) \
  HOPPER_PROBE_KERNELS(type, Element, 64)           \
  HOPPER_PROBE_KERNELS(type, Element, 96)           \
  HOPPER_PROBE_KERNELS(type, Element, 128)

HOPPER_PROBE_KERNELS_OF_TYPE(f16, heddle::Half)
HOPPER_PROBE_KERNELS_OF_TYPE(bf16, heddle::BFloat)
#endif

extern "C" __global__ void __launch_bounds__(256)
    heddle_vertical_slash_combine_statistics(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::combineStatistics(p);
}

extern "C" __global__ void __launch_bounds__(1024)
    heddle_vertical_slash_digits(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::countDigits(p);
}

extern "C" __global__ void __launch_bounds__(1024)
    heddle_vertical_slash_mark(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::markSums(p);
}

extern "C" __global__ void __launch_bounds__(1024, 1)
    heddle_vertical_slash_select(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::select(p);
}

extern "C" __global__ void __launch_bounds__(256)
    heddle_vertical_slash_count(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::countRow(p);
}

// Grid: 2 (blocks, columns). Block: 1024.
extern "C" __global__ void __launch_bounds__(1024)
    heddle_vertical_slash_scan(const __grid_constant__ VerticalSlashParams p) {
  const heddle::AttentionParams& attention = p.attention;
  heddle::countsToOffsets(
      blockIdx.x == 0 ? attention.blockOffsets : attention.columnOffsets,
      int64_t(attention.sequenceCount) * attention.headSlots * attention.mostQueryBlocks,
      p.totals + blockIdx.x);
}

extern "C" __global__ void __launch_bounds__(256)
    heddle_vertical_slash_emit(const __grid_constant__ VerticalSlashParams p) {
  vertical_slash::emitRow(p);
}

HEDDLE_ATTENTION_KERNELS(vertical_slash, heddle::RowKeys)
