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
    size_t y_stride;
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
        weights, rows, w->columns, p->x, p->tokens, p->y + first, p->y_stride, p->accumulate);
}

void ck_matmul(
    ck_compute *c, const ck_matrix *w, const float *x, int tokens, float *y, size_t y_stride, bool accumulate) {
    product p = {c, w, x, y, y_stride, tokens, accumulate};
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
    const int32_t *rows;
    float *y;
    int size;
    float number;
    ck_activation activation;
    bool accumulate;
} row_work;

static void norm_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    size_t at = (size_t)item * (size_t)r->size;
    r->compute->kernels->rms_norm(r->x + at, r->weight, r->size, r->number, r->y + at, r->accumulate);
}

void ck_rms_norm(
    ck_compute *c, const float *x, const float *weight, int tokens, int size, float epsilon, float *y,
    bool accumulate) {
    row_work r = {
        .compute = c, .x = x, .weight = weight, .y = y, .size = size, .number = epsilon, .accumulate = accumulate};
    pool_for(c->pool, tokens, grain_of((size_t)size / 4), norm_item, &r);
}

static void bias_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    r->compute->kernels->add_scaled(r->weight, 1, r->size, r->y + (size_t)item * (size_t)r->size);
}

void ck_add_bias(ck_compute *c, const float *bias, int tokens, int size, float *y) {
    row_work r = {.compute = c, .weight = bias, .y = y, .size = size};
    pool_for(c->pool, tokens, grain_of((size_t)size / 4), bias_item, &r);
}

static void add_row_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    r->compute->kernels->add_scaled(
        r->x + (size_t)item * (size_t)r->size, r->weight[item], r->size,
        r->y + (size_t)r->rows[item] * (size_t)r->size);
}

void ck_add_rows(
    ck_compute *c, const float *x, const int32_t *rows, const float *weights, int count, int size, float *y) {
    row_work r = {.compute = c, .x = x, .weight = weights, .rows = rows, .y = y, .size = size};
    pool_for(c->pool, count, grain_of((size_t)size / 4), add_row_item, &r);
}

static void gate_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    size_t at = (size_t)item * (size_t)r->size;
    r->compute->kernels->gate(r->activation, r->x + 2 * at, r->size, r->y + at);
}

void ck_gate(ck_compute *c, ck_activation activation, const float *x, int tokens, int size, float *y) {
    row_work r = {.compute = c, .x = x, .y = y, .size = size, .activation = activation};
    pool_for(c->pool, tokens, grain_of((size_t)size * 2), gate_item, &r);
}

// MARK: Number by number

/// Numbers that one item covers.
enum { STRETCH = 4096 };

typedef struct stretch_work {
    void (*function)(float number, int size, float *y);
    float number;
    size_t count;
    float *y;
} stretch_work;

static void stretch_item(void *context, int item, int worker) {
    (void)worker;
    const stretch_work *s = context;
    size_t first = (size_t)item * STRETCH;
    size_t size = s->count - first < STRETCH ? s->count - first : STRETCH;
    s->function(s->number, (int)size, s->y + first);
}

static void for_stretches(ck_compute *c, stretch_work s) {
    pool_for(c->pool, (int)((s.count + STRETCH - 1) / STRETCH), 1, stretch_item, &s);
}

void ck_scale(ck_compute *c, float factor, size_t count, float *y) {
    for_stretches(c, (stretch_work){c->kernels->scale, factor, count, y});
}

void ck_soft_cap(ck_compute *c, float cap, size_t count, float *y) {
    for_stretches(c, (stretch_work){c->kernels->soft_cap, cap, count, y});
}

// MARK: Experts

typedef struct route_work {
    ck_compute *compute;
    float *logits;
    int experts;
    int count;
    bool normalize;
    int32_t *chosen;
    float *weights;
} route_work;

static void route_item(void *context, int item, int worker) {
    (void)worker;
    const route_work *r = context;
    size_t at = (size_t)item * (size_t)r->count;
    r->compute->kernels->route(
        r->logits + (size_t)item * (size_t)r->experts, r->experts, r->count, r->normalize, r->chosen + at,
        r->weights + at);
}

void ck_route(
    ck_compute *c, float *logits, int tokens, int experts, int count, bool normalize, int32_t *chosen,
    float *weights) {
    route_work r = {c, logits, experts, count, normalize, chosen, weights};
    pool_for(c->pool, tokens, grain_of((size_t)experts * (size_t)count), route_item, &r);
}

// MARK: Attention

typedef struct attention {
    ck_compute *compute;
    const ck_kv *kv;
    const ck_place *places;
    float *qkv;
    int heads;
    const ck_preparation *preparation;
    ck_view view;
    const ck_span *spans;
    float *out;
} attention;

static void prepare_item(void *context, int item, int worker) {
    (void)worker;
    const attention *a = context;
    size_t stride = (size_t)(a->heads + 2 * a->kv->kv_heads) * (size_t)a->kv->head_size;
    ck_preparation own = *a->preparation;
    own.cosines += (size_t)item * (size_t)(own.dimensions / 2);
    own.sines += (size_t)item * (size_t)(own.dimensions / 2);
    a->compute->kernels->prepare_and_store(
        a->kv, &a->places[item], a->qkv + (size_t)item * stride, a->heads, &own);
}

void ck_prepare_and_store(
    ck_compute *c, const ck_kv *kv, const ck_place *places, float *qkv, int tokens, int heads,
    const ck_preparation *preparation) {
    attention a = {
        .compute = c, .kv = kv, .places = places, .qkv = qkv, .heads = heads, .preparation = preparation};
    pool_for(c->pool, tokens, grain_of((size_t)((heads + 2 * kv->kv_heads) * kv->head_size) / 4), prepare_item, &a);
}

static void attend_item(void *context, int item, int worker) {
    (void)worker;
    const attention *a = context;
    a->compute->kernels->attend(a->kv, a->places, a->qkv, a->heads, a->view, &a->spans[item], a->out);
}

void ck_attention(
    ck_compute *c, const ck_kv *kv, const ck_place *places, const float *qkv, int heads, ck_view view,
    const ck_span *spans, int span_count, float *out) {
    attention a = {
        .compute = c, .kv = kv, .places = places, .qkv = (float *)qkv, .heads = heads, .view = view, .spans = spans,
        .out = out};
    // Spans differ in length by orders of magnitude, so few at a time.
    pool_for(c->pool, span_count, span_count >= 64 ? 4 : 1, attend_item, &a);
}
