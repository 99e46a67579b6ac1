/* A libcuda.so.1 that computes nothing: device memory is host memory, copies are done at once, kernels are counted. It
 * keeps account of everything that is taken, and fails one call when told to, so that tests without a GPU see what
 * becomes of the rest. A failing release still releases, as the driver's do when they report an earlier error.
 *
 * Only what Heddle calls; the signatures are the driver API's. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT, STREAM, EVENT, PINNED, POOL, MEMORY, MODULE, KINDS };
enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, ILLEGAL_ADDRESS = 700 };
enum { MOST_MEMORY = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int depth; /* of this thread's context stack */
static long live[KINDS], calls, fail_at, launches;
static int fail_code, fail_for_good, lost;
static uint64_t total = 1ull << 30, used, most_used;
static struct { uint64_t address, bytes; } memory[MOST_MEMORY];

/* Control, for tests. */
void heddle_fake_reset(void) {
  pthread_mutex_lock(&lock);
  calls = fail_at = launches = 0, fail_for_good = lost = 0, total = 1ull << 30;
  pthread_mutex_unlock(&lock);
}
void heddle_fake_fail(long nth, int code, int for_good) { calls = 0, fail_at = nth, fail_code = code, fail_for_good = for_good; }
void heddle_fake_memory(uint64_t bytes) { total = bytes; }
long heddle_fake_calls(void) { return calls; }
long heddle_fake_launches(void) { return launches; }
long heddle_fake_live(int kind) { return live[kind]; }
int heddle_fake_depth(void) { return depth; }

/* Counts a call; what it returns is what the call returns if it is not 0. */
static int enter(int needs_context) {
  pthread_mutex_lock(&lock);
  calls++;
  int result = lost ? ILLEGAL_ADDRESS : calls == fail_at ? fail_code : 0;
  if (result && fail_for_good) lost = 1;
  pthread_mutex_unlock(&lock);
  return result ? result : needs_context && depth == 0 ? INVALID_CONTEXT : 0;
}
static void count(int kind, int change) {
  pthread_mutex_lock(&lock);
  live[kind] += change;
  pthread_mutex_unlock(&lock);
}
static int make(int kind, void **handle) {
  int result = enter(1);
  if (result) return result;
  *handle = malloc(16);
  count(kind, 1);
  return 0;
}
static int destroy(int kind, void *handle) {
  int result = enter(1);
  free(handle);
  count(kind, -1);
  return result;
}

int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGetCount(int *devices) { *devices = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return enter(0); }
int cuDeviceGetName(char *name, int bytes, int device) { strncpy(name, "Fake", bytes); return enter(0); }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = total; return enter(0); }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : 1;
  return enter(0);
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
  int result = enter(0);
  if (result) return result;
  *context = &live[CONTEXT];
  count(CONTEXT, 1);
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int device) { int result = enter(0); count(CONTEXT, -1); return result; }
/* Always succeeds: nothing could be given back in a context that cannot be entered. */
int cuCtxPushCurrent_v2(void *context) { depth++; return 0; }
int cuCtxPopCurrent_v2(void **context) { int result = enter(1); depth--; return lost ? 0 : result; }

int cuStreamCreate(void **stream, unsigned flags) { return make(STREAM, stream); }
int cuStreamDestroy_v2(void *stream) { return destroy(STREAM, stream); }
int cuStreamSynchronize(void *stream) { return enter(1); }
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) { return enter(1); }
int cuEventCreate(void **event, unsigned flags) { return make(EVENT, event); }
int cuEventDestroy_v2(void *event) { return destroy(EVENT, event); }
int cuEventRecord(void *event, void *stream) { return enter(1); }
int cuEventSynchronize(void *event) { return enter(1); }
int cuEventElapsedTime(float *ms, void *start, void *end) { *ms = 1; return enter(1); }

int cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) {
  int result = enter(1);
  if (result) return result;
  *pointer = malloc(bytes);
  count(PINNED, 1);
  return 0;
}
int cuMemFreeHost(void *pointer) { return destroy(PINNED, pointer); }
int cuMemPoolCreate(void **pool, const void *properties) { return make(POOL, pool); }
int cuMemPoolDestroy(void *pool) { return destroy(POOL, pool); }
int cuMemPoolTrimTo(void *pool, size_t keep) { return enter(1); }
int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  if (attribute == 8) most_used = used;
  return enter(1);
}
int cuMemPoolGetAttribute(void *pool, int attribute, void *value) {
  *(uint64_t *)value = attribute == 8 ? most_used : used;
  return enter(1);
}
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes) {
  *free_bytes = total - used, *total_bytes = total;
  return enter(1);
}
int cuMemAllocFromPoolAsync(uint64_t *address, size_t bytes, void *pool, void *stream) {
  int result = enter(1);
  if (result) return result;
  if (bytes == 0) return INVALID_VALUE;
  pthread_mutex_lock(&lock);
  if (used + bytes > total) {
    result = OUT_OF_MEMORY;
  } else {
    int i = 0;
    while (memory[i].address) i++;
    *address = memory[i].address = (uint64_t)aligned_alloc(256, (bytes + 255) / 256 * 256);
    memory[i].bytes = bytes;
    used += bytes;
    if (used > most_used) most_used = used;
    live[MEMORY]++;
  }
  pthread_mutex_unlock(&lock);
  return result;
}
int cuMemFreeAsync(uint64_t address, void *stream) {
  int result = enter(1);
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MOST_MEMORY; i++)
    if (memory[i].address == address) {
      used -= memory[i].bytes, memory[i].address = 0, live[MEMORY]--;
      free((void *)address);
      break;
    }
  pthread_mutex_unlock(&lock);
  return result;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  int result = enter(1);
  if (!result) memcpy((void *)to, from, bytes);
  return result;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  int result = enter(1);
  if (!result) memcpy(to, (void *)from, bytes);
  return result;
}
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
  int result = enter(1);
  if (!result) memset((void *)to, value, bytes);
  return result;
}
struct copy_2d {
  size_t from_x, from_y; int from_type; const void *from_host; uint64_t from_device; void *from_array; size_t from_pitch;
  size_t to_x, to_y; int to_type; void *to_host; uint64_t to_device; void *to_array; size_t to_pitch;
  size_t width, height;
};
int cuMemcpy2DAsync_v2(const struct copy_2d *copy, void *stream) {
  int result = enter(1);
  for (size_t row = 0; !result && row < copy->height; row++)
    memcpy((char *)copy->to_host + row * copy->to_pitch, (char *)copy->from_device + row * copy->from_pitch, copy->width);
  return result;
}
int cuPointerGetAttribute(void *data, int attribute, uint64_t address) {
  int result = enter(1);
  *(int *)data = 2;
  return result ? result : address < 65536 ? INVALID_VALUE : 0;
}

int cuModuleLoadData(void **module, const void *image) { return make(MODULE, module); }
int cuModuleLoadDataEx(void **module, const void *image, unsigned n, void *options, void *values) { return make(MODULE, module); }
int cuModuleUnload(void *module) { return destroy(MODULE, module); }
int cuModuleGetFunction(void **function, void *module, const char *name) { *function = module; return enter(1); }
int cuFuncSetAttribute(void *function, int attribute, int value) { return enter(1); }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
  int result = enter(1);
  if (!result) launches++;
  return result;
}
int cuGetErrorName(int code, const char **name) { *name = "fake"; return 0; }
int cuGetErrorString(int code, const char **text) { *text = "fake"; return 0; }
