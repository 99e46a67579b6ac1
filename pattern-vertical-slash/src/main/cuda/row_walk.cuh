// The rows of a Vertical-Slash index: runs of offsets and of columns, merged into blocks and columns.
//
// A query block at positions P to Q requires of the kept offsets a to b the keys P - b to Q - a. The
// ranges of all runs are merged in ascending order, joined where they touch or overlap, and cut into
// blocks of 64 keys; a rest of less than half a block becomes columns. This is what
// VerticalSlashIndexBuilder and BlockIndexBuilder do on the host, step by step.
#pragma once

#include "vertical_slash_params.cuh"

namespace vertical_slash {

// Ranges of keys in ascending order, from two ascending sequences. Runs are read one ahead, so that no
// step waits for memory.
struct Ranges {
  const int2* slashRuns;
  const int2* columnRuns;
  int slash;  // the run of offsets that has been read ahead; from the last one down
  int column;
  int columnCount;
  int firstPosition;
  int visibleKeys;
  int2 slashRun;
  int2 columnRun;
  int2 slashRange;  // first key and end; both at the end of all keys when there is none left
  int2 columnRange;

  __device__ void readSlash() {
    if (--slash >= 0) {
      slashRun = slashRuns[slash];
    }
  }

  __device__ void readColumn() {
    if (++column < columnCount) {
      columnRun = columnRuns[column];
    }
  }

  __device__ void nextSlash() {
    while (slash >= 0) {
      slashRange = {max(0, firstPosition - slashRun.y), visibleKeys - slashRun.x};
      readSlash();
      if (slashRange.x < slashRange.y) {
        return;
      }
    }
    slashRange = {INT32_MAX, INT32_MAX};
  }

  __device__ void nextColumn() {
    columnRange = {INT32_MAX, INT32_MAX};
    if (column < columnCount && columnRun.x < visibleKeys) {
      columnRange = {columnRun.x, min(columnRun.y + 1, visibleKeys)};
      readColumn();
    }
  }

  // The first key of the next range; INT32_MAX when there is none.
  __device__ int first() const { return min(slashRange.x, columnRange.x); }

  // Takes the next range and returns its end.
  __device__ int take() {
    if (slashRange.x <= columnRange.x) {
      const int end = slashRange.y;
      nextSlash();
      return end;
    }
    const int end = columnRange.y;
    nextColumn();
    return end;
  }
};

// Joins the ranges and cuts them: calls block(start) and columns(first, end) in ascending order.
template <class Block, class Columns>
__device__ inline void cutRanges(Ranges& ranges, Block block, Columns columns) {
  using heddle::kKeyColumns;
  int covered = 0;  // keys below this are in a block or a column already, as far as they are needed
  while (ranges.first() != INT32_MAX) {
    int start = max(ranges.first(), covered);
    int end = ranges.take();
    while (ranges.first() <= end) {
      end = max(end, ranges.take());
    }
    while (end - start >= kKeyColumns / 2) {
      block(start);
      start += kKeyColumns;
    }
    if (start < end) {
      columns(start, end);
      start = end;
    }
    covered = max(covered, start);
  }
}

// The ranges of one row. Where everything is kept there is one of all keys.
__device__ inline Ranges rangesOfRow(const VerticalSlashParams& params, int queryBlock,
                                     const heddle::QueryBlock& block) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int64_t unit = int64_t(blockIdx.z) * attention.headSlots + blockIdx.x;
  Ranges ranges;
  ranges.firstPosition = block.firstPosition;
  ranges.visibleKeys = block.visibleKeys;
  if (Options(attention, blockIdx.x).keepsAll(sequence.keyTokens)) {
    ranges.slash = -1;
    ranges.column = 0;
    ranges.columnCount = 0;
    ranges.slashRange = {0, block.visibleKeys};
    ranges.columnRange = {INT32_MAX, INT32_MAX};
    return ranges;
  }
  const int4 counts = params.runCounts[unit];
  const bool full = (queryBlock + 1) * heddle::kQueryRows <= sequence.queryTokens;
  ranges.slashRuns = (full ? params.offsetRuns : params.tailRuns) + unit * params.mostSlashes;
  ranges.slash = full ? counts.y : counts.z;
  ranges.columnRuns = params.columnRuns + unit * params.mostVerticals;
  ranges.column = -1;
  ranges.columnCount = counts.x;
  ranges.readSlash();
  ranges.readColumn();
  ranges.nextSlash();
  ranges.nextColumn();
  return ranges;
}

// offsets[row + 1] = entries of the row. Grid: (head slots, query blocks / 128 rounded up, sequences).
// Block: 128, a thread per row.
__device__ inline void countRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * blockDim.x + threadIdx.x;
  if (queryBlock >= attention.mostQueryBlocks) {
    return;
  }
  int blocks = 0;
  int columns = 0;
  if (queryBlock * heddle::kQueryRows < sequence.queryTokens) {
    Ranges ranges = rangesOfRow(params, queryBlock, heddle::QueryBlock(sequence, queryBlock));
    cutRanges(ranges, [&](int) { blocks++; }, [&](int first, int end) { columns += end - first; });
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  attention.blockOffsets[row + 1] = blocks;
  attention.columnOffsets[row + 1] = columns;
}

// Writes ascending entries one after the other, whole 32-byte sectors at a time: each thread writes a
// place of its own, and a sector per entry would be eight times the traffic. `buffer` is shared memory for
// 8 entries of each of 128 threads; entries begin at a multiple of 32 bytes.
struct EntryWriter {
  int32_t* entries;
  int64_t first;
  int64_t place;
  int32_t (*buffer)[128];

  __device__ void add(int entry) {
    const int inSector = place % 8;
    buffer[inSector][threadIdx.x] = entry;
    if (inSector == 7) {
      flush(place - 7);
    }
    place++;
  }

  // Writes what is left of the last sector.
  __device__ void end() const {
    for (int64_t i = max(first, place / 8 * 8); i < place; i++) {
      entries[i] = buffer[i % 8][threadIdx.x];
    }
  }

 private:
  __device__ void flush(int64_t sector) const {
    if (sector < first) {
      for (int64_t i = first; i < sector + 8; i++) {
        entries[i] = buffer[i % 8][threadIdx.x];
      }
      return;
    }
    int4* target = reinterpret_cast<int4*>(entries + sector);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      target[half] = {buffer[4 * half][threadIdx.x], buffer[4 * half + 1][threadIdx.x],
                      buffer[4 * half + 2][threadIdx.x], buffer[4 * half + 3][threadIdx.x]};
    }
  }
};

// Writes the entries of the rows. Geometry as for countRow.
__device__ inline void emitRow(const VerticalSlashParams& params) {
  const heddle::AttentionParams& attention = params.attention;
  const heddle::Sequence sequence = attention.sequences[blockIdx.z];
  const int queryBlock = blockIdx.y * blockDim.x + threadIdx.x;
  if (queryBlock * heddle::kQueryRows >= sequence.queryTokens) {
    return;
  }
  const int64_t row = heddle::indexRow(attention, blockIdx.z, blockIdx.x, queryBlock);
  __shared__ int32_t buffer[8][128];
  int32_t* block = attention.blockStarts + attention.blockOffsets[row];
  const int64_t firstColumn = attention.columnOffsets[row];
  EntryWriter column = {attention.columns, firstColumn, firstColumn, buffer};
  Ranges ranges = rangesOfRow(params, queryBlock, heddle::QueryBlock(sequence, queryBlock));
  cutRanges(
      ranges, [&](int start) { *block++ = start; },
      [&](int first, int end) {
        for (int key = first; key < end; key++) {
          column.add(key);
        }
      });
  column.end();
}

}  // namespace vertical_slash
