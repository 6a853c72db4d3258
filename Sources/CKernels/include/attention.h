// Attention over a paged KV cache, and what is applied to its queries, keys and values before.
#ifndef PENSIEVE_ATTENTION_H
#define PENSIEVE_ATTENTION_H

#include "thread_pool.h"

/// How keys and values are stored: floats, or int8 with a float scale for each position and head.
typedef enum ck_kv_type { CK_KV_F32, CK_KV_F16, CK_KV_BF16, CK_KV_INT8 } ck_kv_type;
/// Bytes that the key and the value of one position and head take together. `latent_size` as in ck_kv.
size_t ck_kv_position_bytes(ck_kv_type type, int head_size, int latent_size);

/// The KV cache of one layer. A block is `block_bytes` and holds tiles of 16 positions (layout: kv.h):
///
///     memory + block × block_bytes + layer_offset + (tile × kv_heads + head) × 16 × ck_kv_position_bytes
///
/// With latent attention there is one KV head, and values are the first numbers of keys: they are not stored.
typedef struct ck_kv {
    uint8_t *memory;  // aligned to 64 bytes, as are all tiles
    size_t block_bytes;
    size_t layer_offset;
    ck_kv_type type;
    int tiles_per_block;
    int kv_heads;
    int head_size;    // of q and k: a multiple of 16, at most 512; 576 with latent attention
    int latent_size;  // with latent attention, of values: a multiple of 16, at most 512, less than head_size; else 0
} ck_kv;

/// The slot of one token of a step in the KV cache: its session's block table and its position there.
typedef struct ck_token_slot {
    const int32_t *blocks;
    int position;
} ck_token_slot;

/// Rows row ..< row + count of a step: tokens of one session at consecutive positions within one tile.
typedef struct ck_token_run {
    int32_t row;
    int32_t count;
} ck_token_run;

/// The most queries in a query tile.
enum { CK_QUERY_TILE_MAX = 16 };

/// A query tile: queries that are computed together, `count` tokens of a token run × `heads` query heads. The heads
/// either share one KV head, or are all heads of several KV heads, whose tiles lie side by side in memory. How queries
/// are tiled changes no result.
typedef struct ck_query_tile {
    int32_t row;
    int32_t count;
    int32_t head;
    int32_t heads;
} ck_query_tile;

/// What the rows of a step's projections hold, head by head: q, then as many parts of k and v as the number says.
typedef enum ck_projections {
    CK_Q = 0,   // keys and values are in the cache
    CK_QK = 1,  // v is k as it is before its norm and rotary embedding
    CK_QKV = 2
} ck_projections;

/// What is applied to q, k and v before attention: norms, rotary embedding of q and k, and then the scales of q.
typedef struct ck_qk_transform {
    const float *q_norm;  // [head_size]: RMS norm of each head; NULL: none
    const float *k_norm;
    const float *v_norm;
    float epsilon;
    bool norms_last;       // whether the norm comes after the rotary embedding
    int dimensions;        // rotary: the first of a head, i paired with i + dimensions / 2; even, at most head_size
    const float *cosines;  // [tokens, dimensions / 2]
    const float *sines;
    float scale;            // of q
    const float *q_scales;  // [tokens], besides; NULL: none
} ck_qk_transform;

/// Applies norms, rotary embedding and scale to q (in place), k and v, and writes k and v to the KV cache; if that holds
/// bytes, q and k have their Hadamard transforms besides.
/// qkv[tokens, (heads + projections × kv_heads) × head_size]; the runs cover all tokens.
void ck_transform_qk_and_store_kv(
    ck_compute *compute, const ck_kv *kv, const ck_token_slot *slots, float *qkv, int heads,
    ck_projections projections, const ck_qk_transform *transform, const ck_token_run *runs, int run_count);

/// What is applied to q and k before latent attention.
typedef struct ck_latent_transform {
    const float *k_norm;  // [latent_size]: RMS norm of the first part of k
    float epsilon;
    // Rotary: the last head_size − latent_size of k, and as many at the end of each head of q, whose other numbers are
    // `plain_size`; all in pairs, of neighbours or of one from each half.
    int plain_size;
    bool interleaved;
    const float *cosines;  // [tokens, (head_size − latent_size) / 2]
    const float *sines;
    float scale;  // of q
} ck_latent_transform;

/// Applies the norm and the rotary embedding to k[tokens, head_size] (in place) and writes it to the KV cache; puts the
/// rotated and scaled ends of the heads of q[tokens, heads × (plain_size + head_size − latent_size)] at the ends of those
/// of queries[tokens, heads × head_size]. The runs cover all tokens.
void ck_transform_and_store_latent(
    ck_compute *compute, const ck_kv *kv, const ck_token_slot *slots, const float *q, float *k, int heads,
    const ck_latent_transform *transform, const ck_token_run *runs, int run_count, float *queries);

/// The attention mask beside causality, and the softmax: a token attends to the last `window` positions (0: all), and to
/// none before `first` but its own. Scores become soft_cap × tanh(s / soft_cap) before the softmax (0: unchanged). A sink
/// is one more score, of a position that is nowhere and has no value.
typedef struct ck_attention_mask {
    int window;
    int first;
    float soft_cap;
    const float *sinks;  // [heads]; NULL: none
} ck_attention_mask;

/// Allocates memory for the splits of contexts of up to `context` positions (see kv.h), which lets several threads
/// share one long context; enough for a few sessions. A step that needs more is parallel over query tiles only.
/// Returns false if the allocation fails.
bool ck_compute_reserve_splits(ck_compute *compute, int context, int heads, int value_size);

/// out[tokens, heads × value size] = causal attention of each token's q over its session's keys and values.
void ck_attention(
    ck_compute *compute, const ck_kv *kv, const ck_token_slot *slots, const float *qkv, int heads,
    ck_projections projections, ck_attention_mask mask,
    const ck_query_tile *tiles, int tile_count, float *out);

#endif
