// What is computed row by row between products: norms, gates, routing; and sampling from logits.
#ifndef PENSIEVE_ROWS_H
#define PENSIEVE_ROWS_H

#include "thread_pool.h"

/// y[tokens, size] = x / sqrt(mean(x²) + epsilon) × weight for each row, or += if `accumulate`. `size` is a multiple of
/// 16, as in the next one and in ck_gate.
void ck_rms_norm(
    ck_compute *compute, const float *x, const float *weight, int tokens, int size, float epsilon, float *y,
    bool accumulate);
/// The same in place, of `size` floats at the start of each row of `stride` floats.
void ck_rms_norm_within(
    ck_compute *compute, const float *weight, int tokens, int size, float epsilon, float *y, size_t stride);
/// y[tokens, size] += bias[size], of any size.
void ck_add_bias(ck_compute *compute, const float *bias, int tokens, int size, float *y);

/// silu(g) = g / (1 + e^-g); GELU in its tanh approximation; clamped and squared ReLU: see ck_gating.
typedef enum ck_activation { CK_SILU = 0, CK_GELU_TANH = 1, CK_CLAMPED = 2, CK_SQUARED_RELU = 3 } ck_activation;
/// What becomes of gate and up: activation(gate) × up, or clamped, g / (1 + e^(-slope × g)) × (u + 1), where g is the
/// gate, at most `limit`, and u is up, at least -limit and at most limit. Squared ReLU has no gate: max(0, up)².
typedef struct ck_gating {
    ck_activation activation;
    float slope;
    float limit;
} ck_gating;
/// y[tokens, size] of x[tokens, 2 × size], whose rows hold gate, then up; of x[tokens, size] if there is no gate.
void ck_gate(ck_compute *compute, ck_gating gating, const float *x, int tokens, int size, float *y);

/// y[count] = y × factor.
void ck_scale(ck_compute *compute, float factor, size_t count, float *y);
/// y[count] = cap × tanh(y / cap).
void ck_soft_cap(ck_compute *compute, float cap, size_t count, float *y);

/// How a router's logits become scores of the experts: by softmax over all, or each by the logistic function.
typedef enum ck_scoring { CK_SOFTMAX = 0, CK_SIGMOID = 1 } ck_scoring;
/// How a token's experts are chosen by their scores, and what the chosen ones weigh.
typedef struct ck_routing {
    ck_scoring scoring;
    int count;          // experts for each token
    const float *bias;  // [experts]: added to the scores for the choice; NULL: none
    // Experts form groups of equal size, of which those count that have the largest scores, or by CK_SIGMOID the largest
    // sums of their two largest ones: at most `groups`, and with at least `count` experts in all. 1 and 1: no groups.
    int groups;
    int chosen_groups;
    bool normalize;   // divides the weights by their sum
    float least_sum;  // added to that sum
    float scale;      // multiplies the weights
} ck_routing;
/// Top-k expert routing. logits[tokens, experts] are overwritten. The largest scores of a token, without the bias, go to
/// weights[tokens, count], their experts to chosen[tokens, count], in descending order of what they are chosen by; of
/// equals the lower expert comes first. The chosen experts are always distinct and in 0 ..< experts, also where a logit
/// is NaN.
void ck_route_top_k(
    ck_compute *compute, const ck_routing *routing, float *logits, int tokens, int experts, int32_t *chosen,
    float *weights);
/// y[t, :] += the sum of weights[t × count + k] × x[rows[t × count + k], :] in the order of k, where the row is not negative.
/// `size` is a multiple of 16.
void ck_gather_add(
    ck_compute *compute, const float *x, const int32_t *rows, const float *weights, int tokens, int count, int size, float *y);
/// Scatter add: y[rows[i], :] += weights[i] × x[i, :] for i in 0 ..< count. The rows are distinct; `size` is a multiple
/// of 16.
void ck_scatter_add(
    ck_compute *compute, const float *x, const int32_t *rows, const float *weights, int count, int size, float *y);

// Sampling, on the calling thread, from any number of logits `count`.

/// Logits whose sampling weights are added up into one partial sum.
enum { CK_SAMPLING_CHUNK = 256 };
/// Bounds that numbers are compared with at a time.
enum { CK_SAMPLING_BOUNDS = 6 };

/// Sets the logits that are not in a mask to -FLT_MAX, whose weight is 0: logit i is in it if bit i % 64 of mask[i / 64]
/// is set. One that is infinite or NaN becomes NaN.
void ck_mask_logits(const ck_compute *compute, const uint64_t *mask, int count, float *x);
/// The index of the largest logit, the first of equals; -1 if any is infinite or NaN.
int32_t ck_argmax(const ck_compute *compute, const float *x, int count);
/// weights[count] = e^((x - largest) / temperature), and partial sums of them, one for each CK_SAMPLING_CHUNK. `weights` may
/// alias `x`.
void ck_sampling_weights(
    const ck_compute *compute, const float *x, int count, float largest, float temperature, float *weights, float *sums);
/// The numbers above `low` and at most `high`, in their order, with their places. `places` and `numbers` have room for
/// `capacity` + 32. Returns how many there are; where it is more than `capacity` there may be still more.
int ck_numbers_between(
    const ck_compute *compute, const float *x, int count, float low, float high, int32_t *places, float *numbers,
    int capacity);
/// How many numbers are above each of CK_SAMPLING_BOUNDS bounds, none of them negative, and their sums.
void ck_numbers_above(
    const ck_compute *compute, const float *x, int count, const float *bounds, int32_t *counts, double *sums);
/// Makes all numbers 0 but those above `least`, and those equal to it up to a place; partial sums as of ck_sampling_weights.
void ck_keep_numbers(const ck_compute *compute, float *x, int count, float least, int place, float *sums);

#endif
