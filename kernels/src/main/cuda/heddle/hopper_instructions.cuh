// Instructions of compute capability 9.0 that the main loop is made of: barriers in shared memory,
// copies by tensor map, and products of a warpgroup (128 threads) on tensor cores.
//
// Tiles lie in shared memory as rows of 64 numbers of 16 bits (128 bytes), in which the 16-byte chunk c of
// row r stands at place c ^ (r % 8); a head dim above 64 takes several such panels, one behind the other.
// Copies by tensor map write this layout (CU_TENSOR_MAP_SWIZZLE_128B) and descriptors of products name it.
#pragma once

#include "heddle/elements.cuh"

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define HEDDLE_HOPPER 1
#endif

namespace heddle {

constexpr int kPanelDims = 64;
constexpr int kPanelRowBytes = 128;

// Byte offset of a 16-byte chunk of a row within its panel.
__device__ inline uint32_t panelOffset(int row, int chunk) {
  return uint32_t(row * kPanelRowBytes + ((chunk ^ (row & 7)) << 4));
}

#ifdef HEDDLE_HOPPER

// --- Barriers in shared memory. A phase is complete when all arrivals and all announced bytes are there;
// waiting for parity 1 passes on a new barrier.

__device__ inline void makeBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// Makes new barriers known to copies; the thread block's barrier must follow.
__device__ inline void fenceNewBarriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ inline void waitAt(uint32_t barrier, uint32_t parity) {
  uint32_t done;
  do {
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n"
        "}"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  } while (!done);
}

__device__ inline void arriveAt(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

// Arrives, and announces bytes that copies by tensor map will bring.
__device__ inline void arriveExpecting(uint32_t barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

// Arrives once all of this thread's copies of chunks and words are there.
__device__ inline void arriveAfterCopies(uint32_t barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier) : "memory");
}

// Barriers of the thread block by number, for a part of its threads.
__device__ inline void syncThreads(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

__device__ inline void arriveThreads(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

// Orders this thread's ordinary accesses to shared memory, and those that it has learnt of through a
// barrier, before copies by tensor map and products that follow.
__device__ inline void fenceForAsync() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// --- Copies by tensor map

// Makes a tensor map in device memory that the host wrote readable.
__device__ inline void acquireTensorMap(const void* map) {
  asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(map) : "memory");
}

// Starts the copy of the map's box from (dim, token, head) on.
__device__ inline void copyBox(uint32_t target, const void* map, int dim, int token, int head,
                               uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%2, %3, %4}], [%5];" ::"r"(target),
      "l"(map), "r"(dim), "r"(token), "r"(head), "r"(barrier)
      : "memory");
}

// --- Registers

template <int Registers>
__device__ inline void takeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}

template <int Registers>
__device__ inline void giveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}

// --- Products

// Descriptor of rows in the layout above. `panelBytes` is the distance of panels: products with V, whose
// rows are the summed index, run over several of them.
__device__ inline uint64_t describe(uint32_t address, uint32_t panelBytes) {
  constexpr uint32_t kEightRows = 8 * kPanelRowBytes;
  constexpr uint64_t kSwizzle128 = uint64_t(1) << 62;
  return kSwizzle128 | uint64_t(kEightRows >> 4) << 32 | uint64_t(panelBytes >> 4) << 16 |
         (address & 0x3ffff) >> 4;
}

// Rows in the layout above that products read at several distances from their first.
struct SharedOperand {
  uint32_t low;  // the part of the descriptor that depends on the address

  // The same in all lanes, and the compiler knows it by the shuffle: what follows from it takes uniform registers.
  __device__ SharedOperand(uint32_t address, uint32_t panelBytes)
      : low(__shfl_sync(~0u, uint32_t(describe(address, panelBytes)), 0)) {}

  __device__ uint64_t at(int bytes) const {
    return describe(0, 0) >> 32 << 32 | (low + uint32_t(bytes >> 4));
  }
};

__device__ inline void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ inline void commitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

// Waits until at most `Pending` groups of products are not done.
template <int Pending>
__device__ inline void waitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

// Keeps the compiler from moving registers across products that are under way.
template <int Count>
__device__ inline void pin(float (&registers)[Count]) {
#pragma unroll
  for (int i = 0; i < Count; i++) {
    asm volatile("" : "+f"(registers[i])::"memory");
  }
}

// Products of a warpgroup with 64 rows: c (64 x Columns) += a (64 x 16) b (16 x Columns).
//   fromShared: a and b are rows in shared memory; b's rows are columns of the product (K)
//   fromRegisters: a is in registers; b's rows are the summed index (V)
// A thread's c is laid out as that of multiplyAdd (elements.cuh), 8 columns after 8 columns.
template <class Element, int Columns>
struct GroupProduct;

// clang-format off
#define HEDDLE_OUT8(c, i) "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3]), \
    "+f"(c[i + 4]), "+f"(c[i + 5]), "+f"(c[i + 6]), "+f"(c[i + 7])
#define HEDDLE_OUT32(c, i) HEDDLE_OUT8(c, i), HEDDLE_OUT8(c, i + 8), HEDDLE_OUT8(c, i + 16), HEDDLE_OUT8(c, i + 24)
#define HEDDLE_LIST32 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define HEDDLE_LIST48 HEDDLE_LIST32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define HEDDLE_LIST64 HEDDLE_LIST48 ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define HEDDLE_LIST128 HEDDLE_LIST64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
    "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define HEDDLE_OUTPUTS32(c) HEDDLE_OUT32(c, 0)
#define HEDDLE_OUTPUTS48(c) HEDDLE_OUT32(c, 0), HEDDLE_OUT8(c, 32), HEDDLE_OUT8(c, 40)
#define HEDDLE_OUTPUTS64(c) HEDDLE_OUT32(c, 0), HEDDLE_OUT32(c, 32)
#define HEDDLE_OUTPUTS128(c) HEDDLE_OUTPUTS64(c), HEDDLE_OUT32(c, 64), HEDDLE_OUT32(c, 96)

// The operands behind the accumulators have the numbers o1 to o5.
#define HEDDLE_FROM_SHARED(type, columns, registers, o1, o2, o3)                                      \
  __device__ static void fromShared(float (&c)[registers], uint64_t a, uint64_t b, bool adds) {       \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #o3 ", 0;\n"                                    \
        "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {"                    \
        HEDDLE_LIST##registers "}, %" #o1 ", %" #o2 ", p, 1, 1, 0, 0;\n}"                             \
        : HEDDLE_OUTPUTS##registers(c) : "l"(a), "l"(b), "r"(int(adds)) : "memory");                  \
  }
#define HEDDLE_FROM_REGISTERS(type, columns, registers, o1, o2, o3, o4, o5)                           \
  __device__ static void fromRegisters(float (&c)[registers], const uint32_t* a, uint64_t b) {        \
    asm volatile(                                                                                     \
        "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " {"                    \
        HEDDLE_LIST##registers "}, {%" #o1 ", %" #o2 ", %" #o3 ", %" #o4 "}, %" #o5 ", 1, 1, 1, 1;"   \
        : HEDDLE_OUTPUTS##registers(c)                                                                \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b) : "memory");                             \
  }
#define HEDDLE_GROUP_PRODUCT(Element, type, columns, registers, o1, o2, o3, o4, o5) \
  template <> struct GroupProduct<Element, columns> {                               \
    HEDDLE_FROM_SHARED(type, columns, registers, o1, o2, o3)                        \
    HEDDLE_FROM_REGISTERS(type, columns, registers, o1, o2, o3, o4, o5)             \
  };
#define HEDDLE_GROUP_PRODUCTS(Element, type)                              \
  HEDDLE_GROUP_PRODUCT(Element, type, 64, 32, 32, 33, 34, 35, 36)         \
  HEDDLE_GROUP_PRODUCT(Element, type, 96, 48, 48, 49, 50, 51, 52)         \
  HEDDLE_GROUP_PRODUCT(Element, type, 128, 64, 64, 65, 66, 67, 68)        \
  HEDDLE_GROUP_PRODUCT(Element, type, 256, 128, 128, 129, 130, 131, 132)
HEDDLE_GROUP_PRODUCTS(Half, "f16")
HEDDLE_GROUP_PRODUCTS(BFloat, "bf16")
// clang-format on

#endif

}  // namespace heddle
