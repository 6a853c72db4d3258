// Attention over the paged KV cache: parallel loops around the kernels.
#include "compute.h"

#include <stdlib.h>

size_t ck_kv_position_bytes(ck_kv_type type, int head_size, int latent_size) {
    size_t size = (latent_size > 0 ? 1 : 2) * (size_t)head_size;
    switch (type) {
    case CK_KV_F32: return size * 4;
    case CK_KV_INT8: return size + 2 * sizeof(float);
    default: return size * 2;
    }
}

// MARK: Norm, rotary embedding, KV cache writes

typedef struct store_work {
    ck_compute *compute;
    const ck_kv *kv;
    const ck_token_slot *slots;
    float *qkv;
    int heads;
    ck_projections projections;
    const ck_qk_transform *transform;
    const ck_token_run *runs;
} store_work;

/// One token run and KV head: positions of one tile, whose cache lines are shared, are written by one thread.
static void store_item(void *context, int item, int worker) {
    (void)worker;
    const store_work *w = context;
    int kv_heads = w->kv->kv_heads;
    w->compute->kernels->store_token_run(
        w->kv, w->slots, w->qkv, w->heads, w->projections, w->transform, &w->runs[item / kv_heads], item % kv_heads);
}

void ck_transform_qk_and_store_kv(
    ck_compute *c, const ck_kv *kv, const ck_token_slot *slots, float *qkv, int heads, ck_projections projections,
    const ck_qk_transform *transform, const ck_token_run *runs, int run_count) {
    store_work w = {c, kv, slots, qkv, heads, projections, transform, runs};
    if (run_count == 0) return;
    size_t cost = (size_t)runs[0].count * (size_t)((heads / kv->kv_heads + 2) * kv->head_size) / 4;
    ck_parallel_for(c, CK_WORK_ATTENTION, run_count * kv->kv_heads, grain_of(cost), store_item, &w);
}

typedef struct latent_store_work {
    ck_compute *compute;
    const ck_kv *kv;
    const ck_token_slot *slots;
    const float *q;
    float *k;
    int heads;
    const ck_latent_transform *transform;
    const ck_token_run *runs;
    float *queries;
} latent_store_work;

static void store_latent_item(void *context, int item, int worker) {
    (void)worker;
    const latent_store_work *w = context;
    w->compute->kernels->store_latent_run(
        w->kv, w->slots, w->q, w->k, w->heads, w->transform, &w->runs[item], w->queries);
}

void ck_transform_and_store_latent(
    ck_compute *c, const ck_kv *kv, const ck_token_slot *slots, const float *q, float *k, int heads,
    const ck_latent_transform *transform, const ck_token_run *runs, int run_count, float *queries) {
    latent_store_work w = {c, kv, slots, q, k, heads, transform, runs, queries};
    if (run_count == 0) return;
    size_t rotated = (size_t)heads * (size_t)(kv->head_size - kv->latent_size);
    size_t cost = (size_t)runs[0].count * ((size_t)kv->head_size + rotated) / 4;
    ck_parallel_for(c, CK_WORK_ATTENTION, run_count, grain_of(cost), store_latent_item, &w);
}

// MARK: Attention

typedef struct attention_work {
    ck_compute *compute;
    attention attention;
    const ck_query_tile *tiles;
    float *out;
    // With splits on several threads: the most splits of a query tile, and the floats of one split's states.
    int splits;
    size_t split_floats;
} attention_work;

/// All splits of a query tile, in order.
static void attend_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const kernels *k = w->compute->kernels;
    const ck_query_tile *query_tile = &w->tiles[item];
    _Alignas(64) float states[CK_QUERY_TILE_MAX * (MAX_VALUE + STATE_EXTRA)];
    int first = first_split(&w->attention, query_tile), last = last_split(&w->attention, query_tile);
    k->attend_splits(&w->attention, query_tile, first, last, states);
    k->finish_query_tile(&w->attention, query_tile, states, w->out);
}

static void split_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const ck_query_tile *query_tile = &w->tiles[item / w->splits];
    int split = first_split(&w->attention, query_tile) + item % w->splits;
    if (split > last_split(&w->attention, query_tile)) return;
    float *states = w->compute->splits + (size_t)item * w->split_floats;
    w->compute->kernels->attend_splits(&w->attention, query_tile, split, split, states);
}

static void merge_item(void *context, int item, int worker) {
    (void)worker;
    const attention_work *w = context;
    const ck_query_tile *query_tile = &w->tiles[item];
    int count = last_split(&w->attention, query_tile) - first_split(&w->attention, query_tile) + 1;
    float *states = w->compute->splits + (size_t)item * (size_t)w->splits * w->split_floats;
    for (int split = 1; split < count; split++) {
        w->compute->kernels->merge_split(
            query_count(query_tile), value_size(w->attention.kv), states + (size_t)split * w->split_floats, states);
    }
    w->compute->kernels->finish_query_tile(&w->attention, query_tile, states, w->out);
}

bool ck_compute_reserve_splits(ck_compute *c, int context, int heads, int value_size) {
    // Enough for four sessions of full context length, at most 64 MiB.
    const size_t most = (64 << 20) / sizeof(float);
    size_t splits = ((size_t)context + SPLIT - 1) / SPLIT;
    size_t floats = 4 * splits * (size_t)heads * state_floats(value_size);
    if (floats > most) floats = most;
    if (splits <= 1 || floats <= c->splits_floats) return true;
    free(c->splits);
    c->splits = aligned_alloc(64, floats * sizeof(float));
    c->splits_floats = c->splits == NULL ? 0 : floats;
    return c->splits != NULL;
}

void ck_attention(
    ck_compute *c, const ck_kv *kv, const ck_token_slot *slots, const float *qkv, int heads, ck_projections projections,
    ck_attention_mask mask, const ck_query_tile *tiles, int tile_count, float *out) {
    attention_work w = {
        .compute = c, .attention = {kv, slots, qkv, heads, projections, mask}, .tiles = tiles, .out = out,
        .splits = 1};
    if (tile_count == 0) return;
    size_t cost = 0;
    int queries = 0;
    for (int i = 0; i < tile_count; i++) {
        const ck_query_tile *query_tile = &tiles[i];
        int first = first_visible(mask, slots[query_tile->row].position);
        int seen = slots[query_tile->row + query_tile->count - 1].position + 1 - first;
        cost += (size_t)(seen / CK_LANES + 1) * (size_t)(query_count(query_tile) * kv->head_size);
        int count = last_split(&w.attention, query_tile) - first_split(&w.attention, query_tile) + 1;
        if (count > w.splits) w.splits = count;
        if (query_count(query_tile) > queries) queries = query_count(query_tile);
    }
    w.split_floats = (size_t)queries * state_floats(value_size(kv));
    // Which thread computes which split changes no result. Contexts are split where there are too few query tiles for
    // the threads.
    const int enough = 16;
    size_t needed = (size_t)tile_count * (size_t)w.splits * w.split_floats;
    if (c->threads > 1 && w.splits > 1 && tile_count < enough * c->threads && needed <= c->splits_floats) {
        ck_parallel_for(c, CK_WORK_ATTENTION, tile_count * w.splits, 1, split_item, &w);
        ck_parallel_for(
            c, CK_WORK_ATTENTION, tile_count, grain_of((size_t)(queries * w.splits * kv->head_size)), merge_item, &w);
    } else {
        ck_parallel_for(c, CK_WORK_ATTENTION, tile_count, grain_of(cost / (size_t)tile_count), attend_item, &w);
    }
}
