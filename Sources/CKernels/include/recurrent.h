// Recurrent layers: a session's state has a fixed size, and is read and written in place of keys and values. And gates.
#ifndef PENSIEVE_RECURRENT_H
#define PENSIEVE_RECURRENT_H

#include "thread_pool.h"

/// A copy of a session's state after some of a run's tokens.
typedef struct ck_state_snapshot {
    float *to;
    int after;  // tokens of the run, at least 1
} ck_state_snapshot;

/// Rows row ..< row + count of a step: all tokens of one session, and its state of all layers before and after them.
typedef struct ck_state_run {
    int32_t row;
    int32_t count;
    const float *from;  // may be `to`; NULL: zeros
    float *to;
    const ck_state_snapshot *snapshots;  // in ascending order
    int snapshot_count;
} ck_state_run;

/// A gated delta net (arXiv 2412.06464): for each value head a state S[key_size, value_size], which each token changes to
///
///     S' = decay × S + k ⊗ share × (v - decay × Sᵀk),  out = norm(S'ᵀq) × SiLU(z)
///
/// where q, k and v come out of a causal convolution over the last `taps` tokens.
typedef struct ck_delta_net {
    int key_heads;
    int value_heads;
    int key_size;    // a multiple of 16, as is
    int value_size;
    int taps;
    int row_floats;  // of a token's inputs
    /// Where each head begins in a token's inputs: the heads of q, of k, of v, of z, then one number of each value head that
    /// the decay depends on, and one for the share.
    const int32_t *offsets;
    const int32_t *key_of_value;  // the key head of each value head
    const float *convolution;     // [taps, channels]; the channels are the heads of q, k and v
    const float *decay_rate;      // [value_heads]: decay = e^(decay_rate × softplus(input + step_bias))
    const float *step_bias;       // [value_heads]
    const float *norm;            // [value_size]
    float epsilon;
    size_t state_offset;  // of the layer, in a session's state; a multiple of 16 floats
} ck_delta_net;

/// A layer's state is the last taps - 1 inputs of the convolution, then the S of each value head, in strips of 64 columns.
///
/// out[tokens, value_heads × value_size] for inputs x[tokens, row_floats], token by token in one order, so that it is the
/// same however a text is divided into runs. The runs cover all tokens; no two of them write the same state, and none
/// reads what another writes.
/// - mixed, gates: scratch, [tokens, channels] and [tokens, 2 × value_heads].
void ck_delta_net_apply(
    ck_compute *compute, const ck_delta_net *net, const ck_state_run *runs, int run_count, const float *x, float *mixed,
    float *gates, float *out);

/// Mamba-2's selective state space (arXiv 2405.21060): for each head a state S[state_size, head_size], which each token
/// changes to
///
///     S' = e^(decay_rate × step) × S + b ⊗ step × x,  y = (S'ᵀc + skip × x) × SiLU(z)
///
/// where x, b and c come out of a causal convolution over the last `taps` tokens and a SiLU, `heads / groups` heads share a
/// b and a c, and their y together go through a norm. A token's inputs are [z | x | b | c | step], each of all heads, or of
/// all groups.
typedef struct ck_state_space {
    int heads;
    int head_size;   // a multiple of 16
    int state_size;  // a multiple of 16
    int groups;      // a divisor of `heads`
    int taps;
    const float *convolution;       // [taps, channels]; the channels are x, b and c
    const float *convolution_bias;  // [channels]; NULL: none
    const float *decay_rate;        // [heads]
    const float *step_bias;         // [heads]: step = softplus(input + step_bias), kept from `least_step` to `most_step`
    float least_step;
    float most_step;
    const float *skip;  // [heads]
    const float *norm;  // [heads × head_size]
    float epsilon;
    /// Of the layer, in a session's state; a multiple of 16 floats. There are the last taps - 1 inputs of the convolution,
    /// then the S of each head, in strips of 64 columns.
    size_t state_offset;
} ck_state_space;

/// out[tokens, heads × head_size] for a step's inputs x, token by token in one order; runs as above.
/// - mixed, steps: scratch, [tokens, channels] and [tokens, 2 × heads].
void ck_state_space_apply(
    ck_compute *compute, const ck_state_space *space, const ck_state_run *runs, int run_count, const float *x,
    float *mixed, float *steps, float *out);

/// A gated short convolution (LFM 2): of the inputs [b | c | x] of a token, out = c × (Σ weight × (b × x)), over the last
/// `taps` tokens.
typedef struct ck_short_convolution {
    int channels;  // a multiple of 16
    int taps;
    const float *weights;  // [taps, channels]
    const float *bias;     // [channels]; NULL: none
    size_t state_offset;   // of the layer, in a session's state: the last taps - 1 rows of b × x
} ck_short_convolution;

/// out[tokens, channels] for inputs x[tokens, 3 × channels]; runs as above.
void ck_short_convolution_apply(
    ck_compute *compute, const ck_short_convolution *net, const ck_state_run *runs, int run_count, const float *x,
    float *out);

/// Divides rows of x[tokens, 2 × heads × size + rest], where each head of q is followed by its gate, into
/// qkv[tokens, heads × size + rest] and gates[tokens, heads × size].
void ck_split_query_gates(
    ck_compute *compute, const float *x, int tokens, int heads, int size, int rest, float *qkv, float *gates);
/// y[tokens, size] × 1 / (1 + e^-gates); `size` is a multiple of 16.
void ck_sigmoid_gate(ck_compute *compute, const float *gates, int tokens, int size, float *y);
/// y[count] = 1 / (1 + e^-y), on the calling thread.
void ck_sigmoid(const ck_compute *compute, int count, float *y);

#endif
