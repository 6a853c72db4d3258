// Attention over the paged KV cache: parallel loops around the kernels.
#include "compute.h"

#include <stdlib.h>

size_t ck_kv_position_bytes(ck_kv_type type, int head_size) {
    size_t size = 2 * (size_t)head_size;
    switch (type) {
    case CK_KV_F32: return size * 4;
    case CK_KV_INT8: return size + 2 * sizeof(float);
    default: return size * 2;
    }
}

// MARK: Norm, rotary embedding, KV cache writes

typedef struct preparation_work {
    ck_compute *compute;
    const ck_kv *kv;
    const ck_place *places;
    float *qkv;
    int heads;
    const ck_preparation *preparation;
    const ck_run *runs;
} preparation_work;

/// One token run and KV head: positions of one tile, whose cache lines are shared, are written by one thread.
static void prepare_item(void *context, int item, int worker) {
    (void)worker;
    const preparation_work *w = context;
    int kv_heads = w->kv->kv_heads;
    w->compute->kernels->prepare_run(
        w->kv, w->places, w->qkv, w->heads, w->preparation, &w->runs[item / kv_heads], item % kv_heads);
}

void ck_prepare_and_store(
    ck_compute *c, const ck_kv *kv, const ck_place *places, float *qkv, int heads, const ck_preparation *preparation,
    const ck_run *runs, int run_count) {
    preparation_work w = {c, kv, places, qkv, heads, preparation, runs};
    if (run_count == 0) return;
    size_t cost = (size_t)runs[0].count * (size_t)((heads / kv->kv_heads + 2) * kv->head_size) / 4;
    ck_compute_for(c, CK_WORK_ATTENTION, run_count * kv->kv_heads, grain_of(cost), prepare_item, &w);
}

// MARK: Attention

typedef struct attention_work {
    ck_compute *compute;
    attention attention;
    const ck_span *spans;
    float *out;
    // With splits on several threads: the most splits of a query tile, and the floats of one split's states.
    int parts;
    size_t part_floats;
} attention_work;

/// All splits of a query tile, in order.
static void attend_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const kernels *k = w->compute->kernels;
    const ck_span *span = &w->spans[item];
    int size = w->attention.kv->head_size, last = last_part(&w->attention, span);
    _Alignas(64) float states[CK_SPAN_QUERIES * (MAX_HEAD + STATE_EXTRA)];
    _Alignas(64) float next[CK_SPAN_QUERIES * (MAX_HEAD + STATE_EXTRA)];
    int part = first_part(&w->attention, span);
    k->attend_part(&w->attention, span, part, states);
    while (++part <= last) {
        k->attend_part(&w->attention, span, part, next);
        k->merge_part(span_queries(span), size, next, states);
    }
    k->finish_span(&w->attention, span, states, w->out);
}

static void part_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const ck_span *span = &w->spans[item / w->parts];
    int part = first_part(&w->attention, span) + item % w->parts;
    if (part > last_part(&w->attention, span)) return;
    float *states = w->compute->parts + (size_t)item * w->part_floats;
    w->compute->kernels->attend_part(&w->attention, span, part, states);
}

static void merge_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const ck_span *span = &w->spans[item];
    int count = last_part(&w->attention, span) - first_part(&w->attention, span) + 1;
    float *states = w->compute->parts + (size_t)item * (size_t)w->parts * w->part_floats;
    for (int part = 1; part < count; part++) {
        w->compute->kernels->merge_part(
            span_queries(span), w->attention.kv->head_size, states + (size_t)part * w->part_floats, states);
    }
    w->compute->kernels->finish_span(&w->attention, span, states, w->out);
}

bool ck_compute_reserve_parts(ck_compute *c, int context, int heads, int head_size) {
    // Enough for four sessions of full context length, at most 64 MiB.
    const size_t most = (64 << 20) / sizeof(float);
    size_t parts = ((size_t)context + PART - 1) / PART;
    size_t floats = 4 * parts * (size_t)heads * state_floats(head_size);
    if (floats > most) floats = most;
    if (parts <= 1 || floats <= c->parts_floats) return true;
    free(c->parts);
    c->parts = aligned_alloc(64, floats * sizeof(float));
    c->parts_floats = c->parts == NULL ? 0 : floats;
    return c->parts != NULL;
}

void ck_attention(
    ck_compute *c, const ck_kv *kv, const ck_place *places, const float *qkv, int heads, ck_view view,
    const ck_span *spans, int span_count, float *out) {
    attention_work w = {
        .compute = c, .attention = {kv, places, qkv, heads, view}, .spans = spans, .out = out, .parts = 1};
    if (span_count == 0) return;
    size_t cost = 0;
    int queries = 0;
    for (int i = 0; i < span_count; i++) {
        const ck_span *span = &spans[i];
        int first = first_visible(view, places[span->row].position);
        int seen = places[span->row + span->count - 1].position + 1 - first;
        cost += (size_t)(seen / CK_LANES + 1) * (size_t)(span_queries(span) * kv->head_size);
        int count = last_part(&w.attention, span) - first_part(&w.attention, span) + 1;
        if (count > w.parts) w.parts = count;
        if (span_queries(span) > queries) queries = span_queries(span);
    }
    w.part_floats = (size_t)queries * state_floats(kv->head_size);
    // Which thread computes which split changes no result. Contexts are split where there are too few query tiles for
    // the threads.
    const int enough = 16;
    size_t needed = (size_t)span_count * (size_t)w.parts * w.part_floats;
    if (c->threads > 1 && w.parts > 1 && span_count < enough * c->threads && needed <= c->parts_floats) {
        ck_compute_for(c, CK_WORK_ATTENTION, span_count * w.parts, 1, part_item, &w);
        ck_compute_for(c, CK_WORK_ATTENTION, span_count, grain_of((size_t)(queries * w.parts * kv->head_size)), merge_item, &w);
    } else {
        ck_compute_for(c, CK_WORK_ATTENTION, span_count, grain_of(cost / (size_t)span_count), attend_item, &w);
    }
}
