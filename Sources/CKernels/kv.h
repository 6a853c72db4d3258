// The layout of keys and values in the KV cache, and the order in which attention reads them.
//
// A tile is 16 positions of one KV head. Floats of 32 or 16 bits:
//
//     keys          [head_size][16]
//     values        [16][head_size]
//
// With latent attention there are keys only, in the same layouts. Their first part has scales by itself, those of values:
// it is the values as well, and for a group they are brought into the layout of values before they are used.
//
// Bytes, in lines of 64 that are operands of byte dot products (four bytes each into 16 lanes of 32 bits):
//
//     key scales    [16] floats
//     value scales  [16] floats
//     keys          head_size / 4 lines: line j has dimensions 4j … 4j+3 of the 16 positions, code + 128
//                   (of the Hadamard transform of a key, see hadamard.inc; with latent attention of the key itself)
//     values        4 × head_size / 16 lines: line [p][c] has positions 4p … 4p+3 of dimensions 16c … 16c+15, codes
//
// Positions are processed in groups of 64. Groups form splits of 512 positions, as in flash decoding: each split has a
// softmax state of its own, and the states are merged in the order of the splits. So the order of additions depends on
// the positions only, not on which thread computes which split.
#ifndef PENSIEVE_KV_H
#define PENSIEVE_KV_H

#include "attention.h"

enum { GROUP_TILES = 4, GROUP = GROUP_TILES * CK_LANES, SPLIT = 512, KV_LINE = 64, MAX_HEAD = 576, MAX_VALUE = 512 };

static inline int value_size(const ck_kv *kv) { return kv->latent_size > 0 ? kv->latent_size : kv->head_size; }

/// The state of an online softmax over some positions: as many floats as a value has, the values weighted by
/// exponentials relative to the largest score; then that score, and the sum of the exponentials, which is 0 if no
/// position was attended to.
enum { STATE_LARGEST = 0, STATE_TOTAL = 1, STATE_EXTRA = 16 };

static inline size_t state_floats(int value_size) { return (size_t)value_size + STATE_EXTRA; }

/// The arguments of one layer's attention in one step.
typedef struct attention {
    const ck_kv *kv;
    const ck_token_slot *slots;
    const float *qkv;
    int heads;
    ck_projections projections;
    ck_attention_mask mask;
} attention;

/// The first position that the token at `position` attends to.
static inline int first_visible(ck_attention_mask mask, int position) {
    int first = mask.window > 0 && position + 1 > mask.window ? position + 1 - mask.window : 0;
    if (first < mask.first) first = mask.first;
    return first < position ? first : position;
}

/// Queries of a query tile that share a KV head. They are consecutive, ordered by token, then by head.
static inline int shared_queries(const attention *a, const ck_query_tile *query_tile) {
    int shared = a->heads / a->kv->kv_heads;
    return query_tile->count * (query_tile->heads < shared ? query_tile->heads : shared);
}

/// The row and the head of a query tile's query at `index`.
typedef struct query_position {
    int row;
    int head;
} query_position;

static inline query_position query_at(const attention *a, const ck_query_tile *query_tile, int index) {
    int together = shared_queries(a, query_tile), heads = together / query_tile->count, within = index % together;
    return (query_position){
        query_tile->row + within / heads, query_tile->head + index / together * heads + within % heads};
}

/// Floats of a row of q, and of the k and v that stand behind it.
static inline size_t row_floats(const ck_kv *kv, int heads, ck_projections projections) {
    return (size_t)(heads + (int)projections * kv->kv_heads) * (size_t)kv->head_size;
}

static inline int query_count(const ck_query_tile *query_tile) { return query_tile->count * query_tile->heads; }
static inline int first_split(const attention *a, const ck_query_tile *query_tile) {
    return first_visible(a->mask, a->slots[query_tile->row].position) / SPLIT;
}
static inline int last_split(const attention *a, const ck_query_tile *query_tile) {
    return a->slots[query_tile->row + query_tile->count - 1].position / SPLIT;
}

static inline size_t tile_bytes(const ck_kv *kv) {
    return CK_LANES * ck_kv_position_bytes(kv->type, kv->head_size, kv->latent_size);
}

static inline uint8_t *kv_tile(const ck_kv *kv, const int32_t *blocks, int tile, int head) {
    size_t block = (size_t)blocks[tile / kv->tiles_per_block];
    size_t within = (size_t)(tile % kv->tiles_per_block) * (size_t)kv->kv_heads + (size_t)head;
    return kv->memory + block * kv->block_bytes + kv->layer_offset + within * tile_bytes(kv);
}

// Offsets within a tile of bytes.
enum { KEY_SCALES = 0, VALUE_SCALES = KV_LINE, KEY_LINES = 2 * KV_LINE };
static inline size_t value_lines(int head_size) { return KEY_LINES + (size_t)head_size / 4 * KV_LINE; }

/// Where values begin in a tile that has them.
static inline size_t value_offset(const ck_kv *kv) {
    if (kv->type == CK_KV_INT8) return value_lines(kv->head_size);
    return CK_LANES * (size_t)kv->head_size * (kv->type == CK_KV_F32 ? 4 : 2);
}

#endif
