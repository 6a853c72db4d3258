// The gated delta rule, and other gates: parallel loops around the kernels.
#include "compute.h"

#include <string.h>

typedef struct delta_work {
    ck_compute *compute;
    const ck_delta_net *net;
    const ck_state_run *runs;
    const float *x;
    float *mixed;
    float *gates;
    float *out;
    int items;  // of a run
} delta_work;

/// A block of channels of a run, or the gates of its tokens.
static void convolve_item(void *context, int item, int worker) {
    (void)worker;
    const delta_work *w = context;
    const ck_delta_net *d = w->net;
    const ck_state_run *run = &w->runs[item / w->items];
    int block = item % w->items;
    if (block < w->items - 1) {
        w->compute->kernels->delta_convolve(d, run, block, w->x, w->mixed);
        return;
    }
    for (int t = run->row; t < run->row + run->count; t++)
        w->compute->kernels->delta_gates(
            d, w->x + (size_t)t * (size_t)d->row_floats, w->gates + (size_t)t * 2 * (size_t)d->value_heads);
}

static void recur_item(void *context, int item, int worker) {
    (void)worker;
    const delta_work *w = context;
    const ck_delta_net *d = w->net;
    w->compute->kernels->delta_recur(
        d, &w->runs[item / d->value_heads], item % d->value_heads, w->x, w->mixed, w->gates, w->out);
}

void ck_delta_net_apply(
    ck_compute *c, const ck_delta_net *net, const ck_state_run *runs, int run_count, const float *x, float *mixed,
    float *gates, float *out) {
    delta_work w = {
        .compute = c, .net = net, .runs = runs, .x = x, .mixed = mixed, .gates = gates, .out = out,
        .items = 2 * net->key_heads + net->value_heads + 1};
    if (run_count == 0) return;
    size_t count = (size_t)runs[0].count, size = (size_t)net->value_size;
    ck_parallel_for(
        c, CK_WORK_ATTENTION, run_count * w.items, grain_of(count * size * 2), convolve_item, &w);
    ck_parallel_for(
        c, CK_WORK_ATTENTION, run_count * net->value_heads, grain_of(count * size * (size_t)net->key_size / 4),
        recur_item, &w);
}

// MARK: Short convolution

enum { SHORT_CHANNELS = 64 };

typedef struct short_work {
    ck_compute *compute;
    const ck_short_convolution *net;
    const ck_state_run *runs;
    const float *x;
    float *out;
    int items;  // of a run
} short_work;

static void short_item(void *context, int item, int worker) {
    (void)worker;
    const short_work *w = context;
    int first = item % w->items * SHORT_CHANNELS, end = first + SHORT_CHANNELS;
    if (end > w->net->channels) end = w->net->channels;
    w->compute->kernels->short_convolve(w->net, &w->runs[item / w->items], first, end, w->x, w->out);
}

void ck_short_convolution_apply(
    ck_compute *c, const ck_short_convolution *net, const ck_state_run *runs, int run_count, const float *x,
    float *out) {
    short_work w = {
        .compute = c, .net = net, .runs = runs, .x = x, .out = out,
        .items = (net->channels + SHORT_CHANNELS - 1) / SHORT_CHANNELS};
    if (run_count == 0) return;
    size_t cost = (size_t)runs[0].count * SHORT_CHANNELS / 4;
    ck_parallel_for(c, CK_WORK_ATTENTION, run_count * w.items, grain_of(cost), short_item, &w);
}

// MARK: Gates

typedef struct gate_work {
    ck_compute *compute;
    const float *x;
    const float *gates;
    float *y;
    float *split;
    int heads;
    int size;
    int rest;
} gate_work;

static void split_item(void *context, int item, int worker) {
    (void)worker;
    const gate_work *w = context;
    size_t size = (size_t)w->size, heads = (size_t)w->heads, rest = (size_t)w->rest;
    const float *from = w->x + (size_t)item * (2 * heads * size + rest);
    float *to = w->y + (size_t)item * (heads * size + rest), *gates = w->split + (size_t)item * heads * size;
    for (size_t h = 0; h < heads; h++) {
        memcpy(to + h * size, from + 2 * h * size, size * sizeof(float));
        memcpy(gates + h * size, from + (2 * h + 1) * size, size * sizeof(float));
    }
    memcpy(to + heads * size, from + 2 * heads * size, rest * sizeof(float));
}

void ck_split_query_gates(
    ck_compute *c, const float *x, int tokens, int heads, int size, int rest, float *qkv, float *gates) {
    gate_work w = {.x = x, .y = qkv, .split = gates, .heads = heads, .size = size, .rest = rest};
    size_t cost = (size_t)(2 * heads * size + rest) / 16;
    ck_parallel_for(c, CK_WORK_ATTENTION, tokens, grain_of(cost), split_item, &w);
}

static void sigmoid_item(void *context, int item, int worker) {
    (void)worker;
    const gate_work *w = context;
    size_t at = (size_t)item * (size_t)w->size;
    w->compute->kernels->sigmoid_gate(w->gates + at, w->size, w->y + at);
}

void ck_sigmoid_gate(ck_compute *c, const float *gates, int tokens, int size, float *y) {
    gate_work w = {.compute = c, .gates = gates, .y = y, .size = size};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, tokens, grain_of((size_t)size * 2), sigmoid_item, &w);
}

void ck_sigmoid(const ck_compute *c, int count, float *y) {
    for (int i = 0; i < count; i++) y[i] = c->kernels->sigmoid(y[i]);
}
