// The operations of rows.h: parallel loops around the kernels, and sampling.
#include "compute.h"

// MARK: Per row

typedef struct row_work {
    ck_compute *compute;
    const float *x;
    const float *weight;
    const int32_t *rows;
    float *y;
    int size;
    size_t stride;
    float number;
    ck_gating gating;
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
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)size / 4), norm_item, &r);
}

static void norm_within_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    float *y = r->y + (size_t)item * r->stride;
    r->compute->kernels->rms_norm(y, r->weight, r->size, r->number, y, false);
}

void ck_rms_norm_within(
    ck_compute *c, const float *weight, int tokens, int size, float epsilon, float *y, size_t stride) {
    row_work r = {.compute = c, .weight = weight, .y = y, .size = size, .stride = stride, .number = epsilon};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)size / 4), norm_within_item, &r);
}

static void bias_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    r->compute->kernels->add_scaled(r->weight, 1, r->size, r->y + (size_t)item * (size_t)r->size);
}

void ck_add_bias(ck_compute *c, const float *bias, int tokens, int size, float *y) {
    row_work r = {.compute = c, .weight = bias, .y = y, .size = size};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)size / 4), bias_item, &r);
}

static void scatter_add_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    r->compute->kernels->add_scaled(
        r->x + (size_t)item * (size_t)r->size, r->weight[item], r->size,
        r->y + (size_t)r->rows[item] * (size_t)r->size);
}

void ck_scatter_add(
    ck_compute *c, const float *x, const int32_t *rows, const float *weights, int count, int size, float *y) {
    row_work r = {.compute = c, .x = x, .weight = weights, .rows = rows, .y = y, .size = size};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, count, grain_of((size_t)size / 4), scatter_add_item, &r);
}

typedef struct gather_add {
    ck_compute *compute;
    const float *x;
    const int32_t *rows;
    const float *weights;
    int count;
    int size;
    float *y;
} gather_add;

static void gather_add_item(void *context, int item, int worker) {
    (void)worker;
    const gather_add *g = context;
    size_t size = (size_t)g->size;
    for (int k = item * g->count; k < (item + 1) * g->count; k++) {
        if (g->rows[k] < 0) continue;
        const float *from = g->x + (size_t)g->rows[k] * size;
        g->compute->kernels->add_scaled(from, g->weights[k], g->size, g->y + (size_t)item * size);
    }
}

void ck_gather_add(
    ck_compute *c, const float *x, const int32_t *rows, const float *weights, int tokens, int count, int size, float *y) {
    gather_add g = {c, x, rows, weights, count, size, y};
    size_t cost = (size_t)size / 4 * (size_t)count;
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of(cost), gather_add_item, &g);
}

static void gate_item(void *context, int item, int worker) {
    (void)worker;
    const row_work *r = context;
    size_t at = (size_t)item * (size_t)r->size;
    size_t parts = r->gating.activation == CK_SQUARED_RELU ? 1 : 2;
    r->compute->kernels->gate(r->gating, r->x + parts * at, r->size, r->y + at);
}

void ck_gate(ck_compute *c, ck_gating gating, const float *x, int tokens, int size, float *y) {
    row_work r = {.compute = c, .x = x, .y = y, .size = size, .gating = gating};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)size * 2), gate_item, &r);
}

// MARK: Elementwise

/// Numbers that one item covers.
enum { ELEMENT_CHUNK = 4096 };

typedef struct elementwise_work {
    void (*function)(float number, int size, float *y);
    float number;
    size_t count;
    float *y;
} elementwise_work;

static void elementwise_item(void *context, int item, int worker) {
    (void)worker;
    const elementwise_work *s = context;
    size_t first = (size_t)item * ELEMENT_CHUNK;
    size_t size = s->count - first < ELEMENT_CHUNK ? s->count - first : ELEMENT_CHUNK;
    s->function(s->number, (int)size, s->y + first);
}

static void for_elements(ck_compute *c, elementwise_work s) {
    ck_parallel_for(
        c, CK_WORK_ELEMENTWISE, (int)((s.count + ELEMENT_CHUNK - 1) / ELEMENT_CHUNK), 1, elementwise_item, &s);
}

void ck_scale(ck_compute *c, float factor, size_t count, float *y) {
    for_elements(c, (elementwise_work){c->kernels->scale, factor, count, y});
}

void ck_soft_cap(ck_compute *c, float cap, size_t count, float *y) {
    for_elements(c, (elementwise_work){c->kernels->soft_cap, cap, count, y});
}

// MARK: Sampling

void ck_mask_logits(const ck_compute *c, const uint64_t *mask, int count, float *x) {
    c->kernels->mask_logits(mask, count, x);
}

int32_t ck_argmax(const ck_compute *c, const float *x, int count) { return c->kernels->argmax(x, count); }

void ck_sampling_weights(
    const ck_compute *c, const float *x, int count, float largest, float temperature, float *weights, float *sums) {
    c->kernels->sampling_weights(x, count, largest, temperature, weights, sums);
}

int ck_numbers_between(
    const ck_compute *c, const float *x, int count, float low, float high, int32_t *places, float *numbers,
    int capacity) {
    return c->kernels->numbers_between(x, count, low, high, places, numbers, capacity);
}

void ck_numbers_above(
    const ck_compute *c, const float *x, int count, const float *bounds, int32_t *counts, double *sums) {
    c->kernels->numbers_above(x, count, bounds, counts, sums);
}

void ck_keep_numbers(const ck_compute *c, float *x, int count, float least, int place, float *sums) {
    c->kernels->keep_numbers(x, count, least, place, sums);
}

// MARK: Experts

typedef struct route_work {
    ck_compute *compute;
    const ck_routing *routing;
    float *logits;
    int experts;
    int32_t *chosen;
    float *weights;
} route_work;

static void route_item(void *context, int item, int worker) {
    (void)worker;
    const route_work *r = context;
    size_t at = (size_t)item * (size_t)r->routing->count;
    r->compute->kernels->route_top_k(
        r->routing, r->logits + (size_t)item * (size_t)r->experts, r->experts, r->chosen + at, r->weights + at);
}

void ck_route_top_k(
    ck_compute *c, const ck_routing *routing, float *logits, int tokens, int experts, int32_t *chosen,
    float *weights) {
    route_work r = {c, routing, logits, experts, chosen, weights};
    ck_parallel_for(
        c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)experts * (size_t)routing->count), route_item, &r);
}
