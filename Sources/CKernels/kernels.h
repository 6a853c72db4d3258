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
    void (*rms_norm)(const float *x, const float *weight, int size, float epsilon, float *y, bool accumulate);
    /// y[size] += factor × x.
    void (*add_scaled)(const float *x, float factor, int size, float *y);
    void (*gate)(ck_activation activation, const float *x, int size, float *y);
    void (*scale)(float factor, int size, float *y);
    void (*soft_cap)(float cap, int size, float *y);
    void (*route)(float *logits, int experts, int count, bool normalize, int32_t *chosen, float *weights);
    /// As ck_prepare_and_store for one token, whose cosines and sines those of `p` are.
    void (*prepare_and_store)(
        const ck_kv *kv, const ck_place *place, float *qkv, int heads, const ck_preparation *p);
    void (*attend)(
        const ck_kv *kv, const ck_place *places, const float *qkv, int heads, ck_view view, const ck_span *span,
        float *out);
} kernels;

extern const kernels kernels_scalar;
#if defined(__x86_64__)
extern const kernels kernels_avx2;
extern const kernels kernels_avx512;
#endif

#endif
