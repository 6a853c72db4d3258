// What one variant provides; the functions do one item's work on the calling thread.
#ifndef PENSIEVE_KERNELS_H
#define PENSIEVE_KERNELS_H

#include "ckernels.h"

/// Rows of a matrix that one item of a product covers.
enum { ROW_BLOCK = 16 };

typedef struct kernels {
    void (*copy_rows)(const ck_matrix *w, int first, int count, float *out);
    /// Whether none of `count` numbers, a multiple of 16, is infinite or not a number.
    bool (*is_finite)(const float *x, int count);
    /// y[t × y_stride + r] for r in 0 ..< rows: dot products of W's rows [rows, columns] with x's.
    void (*multiply)(
        const float *w, int rows, int columns, const float *x, int tokens, float *y, size_t y_stride, bool accumulate);
    void (*rms_norm)(const float *x, const float *weight, int size, float epsilon, float *y);
    void (*silu_multiply)(const float *x, int size, float *y);
    void (*rotate_and_store)(
        const ck_kv *kv, const ck_place *place, float *qkv, int heads, float scale, const float *cosines,
        const float *sines);
    void (*attend)(
        const ck_kv *kv, const ck_place *places, const float *qkv, int heads, int window, const ck_span *span,
        float *out);
} kernels;

extern const kernels kernels_scalar;
#if defined(__x86_64__)
extern const kernels kernels_avx2;
extern const kernels kernels_avx512;
#endif

#endif
