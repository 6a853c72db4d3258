// The dispatch table of one variant. Each function does the work of one item on the calling thread.
#ifndef PENSIEVE_KERNELS_H
#define PENSIEVE_KERNELS_H

#include "kv.h"
#include "packed.h"
#include "recurrent.h"
#include "rows.h"

/// Rows of a matrix that one item of a matrix product covers.
enum { ROW_BLOCK = 16 };

/// Channels of a gated delta net's convolution.
static inline int delta_channels(const ck_delta_net *d) {
    return 2 * d->key_heads * d->key_size + d->value_heads * d->value_size;
}

/// Floats of all heads of a state space: of what they read, of their gates, and of what comes out.
static inline int space_inner(const ck_state_space *s) { return s->heads * s->head_size; }
/// Channels of its convolution.
static inline int space_channels(const ck_state_space *s) { return space_inner(s) + 2 * s->groups * s->state_size; }
/// Floats of a token's inputs.
static inline int space_row_floats(const ck_state_space *s) { return space_inner(s) + space_channels(s) + s->heads; }

typedef struct kernels {
    void (*copy_rows)(const ck_matrix *w, int first, int count, float *out);
    /// Whether all of `count` numbers, a multiple of 16, are finite.
    bool (*is_finite)(const float *x, int count);
    /// y[t × y_stride + r] = W[rows, columns] row r · x[tokens, columns] row t.
    void (*multiply)(
        const float *w, int rows, int columns, const float *x, int tokens, float *y, size_t y_stride, bool accumulate);
    /// Quantises units first ..< end of the inputs of a packed product, x[tokens, columns], into an activation tile for
    /// `capacity` tokens.
    void (*quantise_units)(
        const ck_matrix *w, const float *x, int tokens, int capacity, int first, int end, const activations *tile);
    /// y[t × y_stride + r]: one panel of a packed matrix × `tokens` tokens, which are quantised in tiles.
    void (*multiply_panel)(
        const ck_matrix *w, int panel, const activations *all, int tokens, float *y, size_t y_stride, bool accumulate);
    void (*rms_norm)(const float *x, const float *weight, int size, float epsilon, float *y, bool accumulate);
    /// y[size] += factor × x.
    void (*add_scaled)(const float *x, float factor, int size, float *y);
    void (*gate)(ck_gating gating, const float *x, int size, float *y);
    void (*scale)(float factor, int size, float *y);
    void (*soft_cap)(float cap, int size, float *y);
    void (*route_top_k)(const ck_routing *routing, float *logits, int experts, int32_t *chosen, float *weights);
    // As the functions of the same names in rows.h.
    void (*mask_logits)(const uint64_t *mask, int count, float *x);
    int32_t (*argmax)(const float *x, int count);
    void (*sampling_weights)(
        const float *x, int count, float largest, float temperature, float *weights, float *sums);
    int (*numbers_between)(
        const float *x, int count, float low, float high, int32_t *places, float *numbers, int capacity);
    void (*numbers_above)(const float *x, int count, const float *bounds, int32_t *counts, double *sums);
    void (*keep_numbers)(float *x, int count, float least, int place, float *sums);
    /// As ck_transform_qk_and_store_kv, for one token run and one KV head with the query heads that share it.
    void (*store_token_run)(
        const ck_kv *kv, const ck_token_slot *slots, float *qkv, int heads, ck_projections projections,
        const ck_qk_transform *p, const ck_token_run *run, int kv_head);
    /// As ck_transform_and_store_latent, for one token run.
    void (*store_latent_run)(
        const ck_kv *kv, const ck_token_slot *slots, const float *q, float *k, int heads, const ck_latent_transform *p,
        const ck_token_run *run, float *queries);
    /// y[t × y_stride + c] = the sum of x[tokens, rows] row t × column c of W[rows, columns], or += if `accumulate`.
    void (*multiply_transposed)(
        const float *w, int rows, int columns, const float *x, size_t x_stride, int tokens, float *y, size_t y_stride,
        bool accumulate);
    /// The softmax states of a query tile over the positions of the splits first ... last (see kv.h): [query][state_floats].
    void (*attend_splits)(
        const attention *a, const ck_query_tile *query_tile, int first, int last, float *states);
    /// Merges the states of the next split into those of all splits before it.
    void (*merge_split)(int queries, int value_size, const float *split, float *states);
    /// Divides by the softmax sums and writes the outputs of a query tile.
    void (*finish_query_tile)(const attention *a, const ck_query_tile *query_tile, const float *states, float *out);
    /// A block of channels of a gated delta net, over a run: a head of q, of k or of v, counted in this order.
    void (*delta_convolve)(const ck_delta_net *d, const ck_state_run *run, int block, const float *x, float *mixed);
    /// The gates of one token: of all heads the decays, then of all the shares.
    void (*delta_gates)(const ck_delta_net *d, const float *x, float *gates);
    /// The recurrence of one head over a run, its norm and its output gate.
    void (*delta_recur)(
        const ck_delta_net *d, const ck_state_run *run, int head, const float *x, const float *mixed,
        const float *gates, float *out);
    /// Channels first ..< end of a short convolution over a run.
    void (*short_convolve)(
        const ck_short_convolution *s, const ck_state_run *run, int first, int end, const float *x, float *out);
    /// Channels first ..< end of a state space's convolution over a run.
    void (*space_convolve)(
        const ck_state_space *s, const ck_state_run *run, int first, int end, const float *x, float *mixed);
    /// The steps of one token: of all heads the decays, then of all how far they go.
    void (*space_steps)(const ck_state_space *s, const float *x, float *steps);
    /// The recurrence of one head over a run, and its gate.
    void (*space_recur)(
        const ck_state_space *s, const ck_state_run *run, int head, const float *x, const float *mixed,
        const float *steps, float *out);
    void (*sigmoid_gate)(const float *gate, int size, float *y);
    float (*sigmoid)(float x);
    // This variant's limits, for benchmarks.
    uint32_t (*probe_read)(const uint8_t *memory, size_t bytes);
    uint32_t (*probe_dots)(int rounds);
} kernels;

extern const kernels kernels_scalar;
#if defined(__x86_64__)
extern const kernels kernels_avx2;
extern const kernels kernels_avx2_vnni;
extern const kernels kernels_avx512;
extern const kernels kernels_avx512_vnni;
#elif defined(__aarch64__)
extern const kernels kernels_neon;
#endif

#endif
