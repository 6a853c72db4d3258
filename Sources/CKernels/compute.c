// The choice of a variant, and the operations of ckernels.h as regions of the pool.
#include "kernels.h"
#include "pool.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ck_compute {
    const kernels *kernels;
    pool *pool;
    int threads;
    float *scratch;
    size_t scratch_floats;
};

/// Multiply-adds in 16 lanes that are worth handing to another thread: about two microseconds.
enum { GRAIN = 4096 };

bool ck_variant_available(ck_variant variant) {
    switch (variant) {
    case CK_SCALAR: return true;
#if defined(__x86_64__)
    case CK_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CK_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
    default: return false;
    }
}

const char *ck_variant_name(ck_variant variant) {
    switch (variant) {
    case CK_AVX2: return "avx2";
    case CK_AVX512: return "avx512";
    default: return "scalar";
    }
}

ck_variant ck_variant_best(void) {
    if (ck_variant_available(CK_AVX512)) return CK_AVX512;
    return ck_variant_available(CK_AVX2) ? CK_AVX2 : CK_SCALAR;
}

static const kernels *kernels_of(ck_variant variant) {
    switch (variant) {
#if defined(__x86_64__)
    case CK_AVX2: return &kernels_avx2;
    case CK_AVX512: return &kernels_avx512;
#endif
    default: return &kernels_scalar;
    }
}

ck_compute *ck_compute_create(ck_variant variant, int threads) {
    ck_compute *c = malloc(sizeof *c);
    if (c == NULL) return NULL;
    *c = (ck_compute){.kernels = kernels_of(variant), .pool = pool_create(threads), .threads = threads};
    if (c->pool == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void ck_compute_destroy(ck_compute *c) {
    pool_destroy(c->pool);
    free(c->scratch);
    free(c);
}

int ck_compute_threads(const ck_compute *c) { return c->threads; }

bool ck_compute_reserve(ck_compute *c, size_t floats) {
    floats = (floats + 15) / 16 * 16;
    if (floats <= c->scratch_floats) return true;
    float *scratch = aligned_alloc(64, floats * (size_t)c->threads * sizeof(float));
    if (scratch == NULL) return false;
    free(c->scratch);
    c->scratch = scratch;
    c->scratch_floats = floats;
    return true;
}

float *ck_compute_scratch(ck_compute *c, int worker) { return c->scratch + (size_t)worker * c->scratch_floats; }

void ck_compute_for(ck_compute *c, int count, int grain, ck_body body, void *context) {
    pool_for(c->pool, count, grain, body, context);
}

/// Items to take at once when each costs `cost` vector operations.
static int grain_of(size_t cost) { return cost >= GRAIN ? 1 : (int)(GRAIN / (cost + 1)) + 1; }

// MARK: Products

typedef struct product {
    ck_compute *compute;
    const ck_matrix *w;
    const float *x;
    float *y;
    int tokens;
    bool accumulate;
} product;

static void multiply_item(void *context, int item, int worker) {
    const product *p = context;
    const ck_matrix *w = p->w;
    int first = item * ROW_BLOCK;
    int rows = w->rows - first < ROW_BLOCK ? w->rows - first : ROW_BLOCK;
    const float *weights;
    if (w->format == CK_F32) {
        weights = (const float *)w->weights + (size_t)first * (size_t)w->columns;
    } else {
        float *scratch = ck_compute_scratch(p->compute, worker);
        p->compute->kernels->copy_rows(w, first, rows, scratch);
        weights = scratch;
    }
    p->compute->kernels->multiply(
        weights, rows, w->columns, p->x, p->tokens, p->y + first, (size_t)w->rows, p->accumulate);
}

void ck_matmul(ck_compute *c, const ck_matrix *w, const float *x, int tokens, float *y, bool accumulate) {
    product p = {c, w, x, y, tokens, accumulate};
    size_t cost = (size_t)(w->columns / 16) * ROW_BLOCK * (size_t)(tokens + 4);
    pool_for(c->pool, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), multiply_item, &p);
}

typedef struct gather {
    ck_compute *compute;
    const ck_matrix *w;
    const int32_t *rows;
    float *out;
} gather;

static void gather_item(void *context, int item, int worker) {
    (void)worker;
    const gather *g = context;
    g->compute->kernels->copy_rows(g->w, g->rows[item], 1, g->out + (size_t)item * (size_t)g->w->columns);
}

void ck_gather_rows(ck_compute *c, const ck_matrix *w, const int32_t *rows, int count, float *out) {
    gather g = {c, w, rows, out};
    pool_for(c->pool, count, grain_of((size_t)w->columns / 4), gather_item, &g);
}

void ck_copy_rows(const ck_compute *c, const ck_matrix *w, int first, int count, float *out) {
    c->kernels->copy_rows(w, first, count, out);
}

typedef struct finite_check {
    ck_compute *compute;
    const ck_matrix *w;
    atomic_int first_bad;
} finite_check;

static void check_item(void *context, int item, int worker) {
    finite_check *f = context;
    float *scratch = ck_compute_scratch(f->compute, worker);
    int end = item * ROW_BLOCK + ROW_BLOCK < f->w->rows ? item * ROW_BLOCK + ROW_BLOCK : f->w->rows;
    for (int row = item * ROW_BLOCK; row < end; row++) {
        f->compute->kernels->copy_rows(f->w, row, 1, scratch);
        if (f->compute->kernels->is_finite(scratch, f->w->columns)) continue;
        int known = atomic_load(&f->first_bad);
        while (row < known && !atomic_compare_exchange_weak(&f->first_bad, &known, row)) {}
        return;
    }
}

int ck_first_row_not_finite(ck_compute *c, const ck_matrix *w) {
    finite_check f = {.compute = c, .w = w, .first_bad = INT_MAX};
    size_t cost = (size_t)(w->columns / 4) * ROW_BLOCK;
    pool_for(c->pool, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), check_item, &f);
    int first = atomic_load(&f.first_bad);
    return first == INT_MAX ? -1 : first;
}

// MARK: Row by row

typedef struct row_work {
    ck_compute *compute;
    const float *x;
    const float *weight;
    float *y;
    int size;
    float epsilon;
} row_work;

static void norm_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    size_t at = (size_t)item * (size_t)r->size;
    r->compute->kernels->rms_norm(r->x + at, r->weight, r->size, r->epsilon, r->y + at);
}

void ck_rms_norm(
    ck_compute *c, const float *x, const float *weight, int tokens, int size, float epsilon, float *y) {
    row_work r = {c, x, weight, y, size, epsilon};
    pool_for(c->pool, tokens, grain_of((size_t)size / 4), norm_item, &r);
}

static void silu_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    size_t at = (size_t)item * (size_t)r->size;
    r->compute->kernels->silu_multiply(r->x + 2 * at, r->size, r->y + at);
}

void ck_silu_multiply(ck_compute *c, const float *x, int tokens, int size, float *y) {
    row_work r = {c, x, NULL, y, size, 0};
    pool_for(c->pool, tokens, grain_of((size_t)size * 2), silu_item, &r);
}

// MARK: Attention

typedef struct attention {
    ck_compute *compute;
    const ck_kv *kv;
    const ck_place *places;
    float *qkv;
    int heads;
    int window;
    float scale;
    const float *cosines;
    const float *sines;
    const ck_span *spans;
    float *out;
} attention;

static void rotate_item(void *context, int item, int worker) {
    (void)worker;
    const attention *a = context;
    size_t size = (size_t)a->kv->head_size;
    size_t stride = (size_t)(a->heads + 2 * a->kv->kv_heads) * size;
    a->compute->kernels->rotate_and_store(
        a->kv, &a->places[item], a->qkv + (size_t)item * stride, a->heads, a->scale,
        a->cosines + (size_t)item * (size / 2), a->sines + (size_t)item * (size / 2));
}

void ck_rotate_and_store(
    ck_compute *c, const ck_kv *kv, const ck_place *places, float *qkv, int tokens, int heads, float scale,
    const float *cosines, const float *sines) {
    attention a = {
        .compute = c, .kv = kv, .places = places, .qkv = qkv, .heads = heads, .scale = scale, .cosines = cosines,
        .sines = sines};
    pool_for(c->pool, tokens, grain_of((size_t)((heads + 2 * kv->kv_heads) * kv->head_size) / 4), rotate_item, &a);
}

static void attend_item(void *context, int item, int worker) {
    (void)worker;
    const attention *a = context;
    a->compute->kernels->attend(a->kv, a->places, a->qkv, a->heads, a->window, &a->spans[item], a->out);
}

void ck_attention(
    ck_compute *c, const ck_kv *kv, const ck_place *places, const float *qkv, int heads, int window,
    const ck_span *spans, int span_count, float *out) {
    attention a = {
        .compute = c, .kv = kv, .places = places, .qkv = (float *)qkv, .heads = heads, .window = window,
        .spans = spans, .out = out};
    // Spans differ in length by orders of magnitude, so few at a time.
    pool_for(c->pool, span_count, span_count >= 64 ? 4 : 1, attend_item, &a);
}
