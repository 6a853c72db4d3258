// Operations on matrices: parallel loops around the kernels.
#include "compute.h"

#include <limits.h>
#include <stdatomic.h>

/// `count` matrices with the same columns, whose outputs stand side by side.
typedef struct matmul {
    ck_compute *compute;
    const ck_matrix *w;
    int count;
    const float *x;
    float *y;
    size_t y_stride;
    int tokens;
    bool accumulate;
} matmul;

static void multiply_item(void *context, int item, int worker) {
    const matmul *p = context;
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

// MARK: Packed matrices

typedef struct packing {
    const ck_matrix *from;
    const ck_matrix *to;
    void *weights;
} packing;

static void pack_item(void *context, int item, int worker) {
    (void)worker;
    const packing *p = context;
    pack_panel(p->from, p->to, item, p->weights);
}

void ck_pack(ck_compute *c, const ck_matrix *w, const ck_matrix *packed, void *weights) {
    packing p = {w, packed, weights};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, panel_count(packed), 1, pack_item, &p);
}

// Inputs are quantised once for all panels, at most SLAB tokens at a time to bound the memory.

/// Units that one item of the quantisation covers: enough that threads share no cache line.
enum { QUANTISED_UNITS = OUTLIER_UNITS };

static int quantise_items(const packed_shape *s) { return (s->units + QUANTISED_UNITS - 1) / QUANTISED_UNITS; }

static void quantise_item(void *context, int item, int worker) {
    (void)worker;
    const matmul *p = context;
    packed_shape s = packed_shape_of(p->w);
    int most = MAX_TILE / p->compute->activations.planes, parts = quantise_items(&s);
    int first = item / parts * most, unit = item % parts * QUANTISED_UNITS;
    int tokens = p->tokens - first < most ? p->tokens - first : most;
    int end = s.units - unit < QUANTISED_UNITS ? s.units : unit + QUANTISED_UNITS;
    activations tile = activations_from(&p->compute->activations, &s, first);
    p->compute->kernels->quantise_units(
        p->w, p->x + (size_t)first * (size_t)p->w->columns, tokens, tile_tokens(tokens), unit, end, &tile);
}

/// One panel of all matrices'.
static void panel_item(void *context, int item, int worker) {
    (void)worker;
    const matmul *p = context;
    const ck_matrix *w = p->w;
    float *y = p->y;
    for (; item >= panel_count(w); w++) {
        item -= panel_count(w);
        y += w->rows;
    }
    p->compute->kernels->multiply_panel(
        w, item, &p->compute->activations, p->tokens, y + (size_t)item * PANEL_ROWS, p->y_stride, p->accumulate);
}

static void multiply_packed(ck_compute *c, const matmul *all) {
    packed_shape s = packed_shape_of(all->w);
    int most = MAX_TILE / c->activations.planes, panels = 0;
    for (int i = 0; i < all->count; i++) panels += panel_count(&all->w[i]);
    for (int first = 0; first < all->tokens; first += SLAB) {
        matmul p = *all;
        p.tokens = all->tokens - first < SLAB ? all->tokens - first : SLAB;
        p.x += (size_t)first * (size_t)p.w->columns;
        p.y += (size_t)first * p.y_stride;
        int tiles = (p.tokens + most - 1) / most, together = p.tokens < most ? p.tokens : most;
        size_t cost = (size_t)(QUANTISED_UNITS * UNIT / 4 * together);
        ck_parallel_for(c, CK_WORK_QUANTIZE, tiles * quantise_items(&s), grain_of(cost), quantise_item, &p);
        // About 128 KiB of weights at a time: long enough for the prefetcher, short enough for even load.
        int grain = (int)((128 << 10) / s.panel);
        ck_parallel_for(c, CK_WORK_MATMUL, panels, grain > 1 ? grain : 1, panel_item, &p);
    }
}

/// Whether inputs are quantised alike for two matrices.
static bool share_inputs(const ck_matrix *a, const ck_matrix *b) {
    if (a->format != CK_PACKED || b->format != CK_PACKED || a->columns != b->columns) return false;
    packed_shape s = packed_shape_of(a), t = packed_shape_of(b);
    return s.groups == t.groups && s.zero == t.zero;
}

void ck_matmul(
    ck_compute *c, const ck_matrix *w, const float *x, int tokens, float *y, size_t y_stride, bool accumulate) {
    ck_matmul_parts(c, w, 1, x, tokens, y, y_stride, accumulate);
}

void ck_matmul_parts(
    ck_compute *c, const ck_matrix *parts, int count, const float *x, int tokens, float *y, size_t y_stride,
    bool accumulate) {
    for (int i = 0, together; i < count; i += together) {
        const ck_matrix *w = &parts[i];
        for (together = 1; i + together < count && share_inputs(w, w + together);) together++;
        matmul p = {c, w, together, x, y, y_stride, tokens, accumulate};
        if (w->format == CK_PACKED) {
            multiply_packed(c, &p);
        } else {
            size_t cost = (size_t)(w->columns / 16) * ROW_BLOCK * (size_t)(tokens + 4);
            ck_parallel_for(c, CK_WORK_MATMUL, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), multiply_item, &p);
        }
        for (int k = 0; k < together; k++) y += w[k].rows;
    }
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
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, count, grain_of((size_t)w->columns / 4), gather_item, &g);
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

int ck_first_nonfinite_row(ck_compute *c, const ck_matrix *w) {
    finite_check f = {.compute = c, .w = w, .first_bad = INT_MAX};
    size_t cost = (size_t)(w->columns / 4) * ROW_BLOCK;
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), check_item, &f);
    int first = atomic_load(&f.first_bad);
    return first == INT_MAX ? -1 : first;
}
