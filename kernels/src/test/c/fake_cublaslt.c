/* A cuBLASLt that multiplies on the processor, with the sizes, numbers and checks that NVIDIA's documentation states. What the
   library would refuse or read differently is a status that is not 0. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16F = 2, R_16BF = 14, COMPUTE_32F = 68 };

typedef struct { int kind, compute, scale, transposeA, transposeB; } Operation;
typedef struct { int kind, type; uint64_t rows, columns; int64_t stride; } Layout;
typedef struct { int kind; uint64_t workspace; uint32_t alignment[4]; } Preference;
typedef struct { uint64_t data[8]; } Algorithm;
typedef struct { Algorithm algorithm; size_t workspace; int state; float waves; int reserved[4]; } Result;

static long live, asked;
static int handleObject = 4711;

long heddle_fake_lt_live(void) { return live; }
long heddle_fake_lt_asked(void) { return asked; }

size_t cublasLtGetVersion(void) { return 130100; }
const char* cublasLtGetStatusName(int status) {
  return status == INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS_NOT_SUPPORTED";
}

int cublasLtCreate(void** handle) { live++; *handle = &handleObject; return 0; }
int cublasLtDestroy(void* handle) { live--; return handle == &handleObject ? 0 : INVALID_VALUE; }

static void* made(size_t bytes, int kind) {
  int* object = calloc(1, bytes);
  object[0] = kind;
  live++;
  return object;
}
static int destroyed(void* object, int kind) {
  if (((int*)object)[0] != kind) return INVALID_VALUE;
  free(object);
  live--;
  return 0;
}

int cublasLtMatmulDescCreate(Operation** made_, int compute, int scale) {
  Operation* operation = made(sizeof(Operation), 1);
  operation->compute = compute;
  operation->scale = scale;
  *made_ = operation;
  return 0;
}
int cublasLtMatmulDescDestroy(Operation* operation) { return destroyed(operation, 1); }
int cublasLtMatmulDescSetAttribute(Operation* operation, int attribute, const void* value, size_t bytes) {
  if (operation->kind != 1 || bytes != 4) return INVALID_VALUE;
  int32_t number;
  memcpy(&number, value, 4);
  if (attribute == 3) operation->transposeA = number;
  else if (attribute == 4) operation->transposeB = number;
  else return INVALID_VALUE;
  return 0;
}

int cublasLtMatrixLayoutCreate(Layout** made_, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  Layout* layout = made(sizeof(Layout), 2);
  layout->type = type;
  layout->rows = rows;
  layout->columns = columns;
  layout->stride = stride;
  *made_ = layout;
  return (uint64_t)stride < rows ? INVALID_VALUE : 0;
}
int cublasLtMatrixLayoutDestroy(Layout* layout) { return destroyed(layout, 2); }

int cublasLtMatmulPreferenceCreate(Preference** made_) { *made_ = made(sizeof(Preference), 3); return 0; }
int cublasLtMatmulPreferenceDestroy(Preference* preference) { return destroyed(preference, 3); }
int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, size_t bytes) {
  if (preference->kind != 3) return INVALID_VALUE;
  if (attribute == 1 && bytes == 8) memcpy(&preference->workspace, value, 8);
  else if (attribute >= 5 && attribute <= 8 && bytes == 4) memcpy(&preference->alignment[attribute - 5], value, 4);
  else return INVALID_VALUE;
  return 0;
}

static int fits(const Operation* o, const Layout* a, const Layout* b, const Layout* c, const Layout* d) {
  return o->kind == 1 && a->kind == 2 && b->kind == 2 && c->kind == 2 && d->kind == 2 && o->compute == COMPUTE_32F &&
         o->scale == R_32F && o->transposeA == 1 && o->transposeB == 0 && a->rows == b->rows && a->columns == d->rows &&
         b->columns == d->columns && c->rows == d->rows && c->columns == d->columns && a->type == b->type &&
         (a->type == R_16F || a->type == R_16BF) && (d->type == a->type || d->type == R_32F) && c->type == d->type;
}

int cublasLtMatmulAlgoGetHeuristic(void* handle, const Operation* o, const Layout* a, const Layout* b, const Layout* c,
                                   const Layout* d, const Preference* preference, int most, Result* results, int* found) {
  asked++;
  if (handle != &handleObject || preference->kind != 3 || most != 1 || preference->workspace != 64ull << 20)
    return INVALID_VALUE;
  for (int i = 0; i < 4; i++) {
    const uint32_t x = preference->alignment[i];
    if (x < 2 || x > 256 || (x & (x - 1)) != 0) return INVALID_VALUE;
  }
  if (!fits(o, a, b, c, d)) return INVALID_VALUE;
  *found = d->rows == 13 ? 0 : 1; /* a shape that nothing computes */
  results[0].algorithm.data[0] = 17;
  results[0].algorithm.data[7] = d->rows;
  results[0].workspace = 1 << 20;
  results[0].state = 0;
  results[0].waves = 1;
  return 0;
}

static float bfloat(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &wide, 4);
  return x;
}
static float number(const void* matrix, int type, int64_t at) {
  if (type == R_32F) return ((const float*)matrix)[at];
  if (type == R_16BF) return bfloat(((const uint16_t*)matrix)[at]);
  return (float)((const _Float16*)matrix)[at];
}
static void put(void* matrix, int type, int64_t at, float x) {
  if (type == R_32F) ((float*)matrix)[at] = x;
  else if (type == R_16F) ((_Float16*)matrix)[at] = (_Float16)x;
  else {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    ((uint16_t*)matrix)[at] = (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }
}

int cublasLtMatmul(void* handle, const Operation* o, const float* alpha, const void* a, const Layout* la, const void* b,
                   const Layout* lb, const float* beta, const void* c, const Layout* lc, void* d, const Layout* ld,
                   const Algorithm* algorithm, void* workspace, size_t workspaceBytes, void* stream) {
  if (handle != &handleObject || !fits(o, la, lb, lc, ld) || algorithm->data[0] != 17 ||
      algorithm->data[7] != ld->rows || workspaceBytes < 1 << 20 || workspace == NULL || c != d)
    return INVALID_VALUE;
  if (stream == NULL) return NOT_SUPPORTED;
  for (uint64_t column = 0; column < ld->columns; column++) {
    for (uint64_t row = 0; row < ld->rows; row++) {
      float sum = 0;
      for (uint64_t k = 0; k < la->rows; k++)
        sum += number(a, la->type, row * la->stride + k) * number(b, lb->type, column * lb->stride + k);
      const int64_t at = column * ld->stride + row;
      put(d, ld->type, at, *alpha * sum + (*beta == 0 ? 0 : *beta * number(c, lc->type, at)));
    }
  }
  return 0;
}
