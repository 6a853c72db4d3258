// The computing part of the engine: a pool of threads, and the kernels of a transformer over paged KV memory.
//
// Every number is a float32 made by operations in an order that the shapes alone decide: not the number of threads, not
// the other rows of a batch, and not the instruction set (reductions run in 16 lanes everywhere, with fused
// multiply-adds). So the result for one token is the same bits in every company and on every variant.
//
// Nothing here checks its arguments against outside input: the callers in Inference do.
#ifndef PENSIEVE_CKERNELS_H
#define PENSIEVE_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Lanes of every reduction, and positions in one tile of KV memory.
enum { CK_LANES = 16 };

/// The instruction sets that the kernels are compiled for.
typedef enum ck_variant {
    CK_SCALAR = 0,
    CK_AVX2 = 1,
    CK_AVX2_VNNI = 2,
    CK_AVX512 = 3,
    CK_AVX512_VNNI = 4,
    CK_NEON = 5
} ck_variant;
enum { CK_VARIANT_COUNT = 6 };

bool ck_variant_available(ck_variant variant);
const char *ck_variant_name(ck_variant variant);
/// The fastest variant that this CPU has.
ck_variant ck_variant_best(void);

/// Threads and the kernels of one variant. Used by one thread at a time, which is worker 0.
typedef struct ck_compute ck_compute;

/// Starts `threads - 1` threads. Returns NULL if that fails.
ck_compute *ck_compute_create(ck_variant variant, int threads);
void ck_compute_destroy(ck_compute *compute);
int ck_compute_threads(const ck_compute *compute);
/// Provides `floats` of scratch memory for each worker. Returns false if there is no memory for it.
bool ck_compute_reserve(ck_compute *compute, size_t floats);
/// The cores that this process may use, which can be fewer than the machine has.
int ck_core_count(void);
/// The scratch memory of one worker.
float *ck_compute_scratch(ck_compute *compute, int worker);

/// What the threads do, as its time is counted: products of matrices, the quantisation of their inputs, attention with its
/// preparation, sampling, and what goes row by row (norms, gates and the like).
typedef enum ck_work { CK_WORK_PRODUCTS, CK_WORK_INPUTS, CK_WORK_ATTENTION, CK_WORK_SAMPLING, CK_WORK_ROWS } ck_work;
enum { CK_WORK_COUNT = 5 };

typedef void (*ck_body)(void *context, int item, int worker);
/// Runs `body` for each item in 0 ..< count, `grain` consecutive ones at a time, on all threads; returns when all are
/// done. Threads that find no work spin for some tens of microseconds and then sleep.
void ck_compute_for(ck_compute *compute, ck_work work, int count, int grain, ck_body body, void *context);
/// How long one kind of work has taken until now, from its begin to its end on the calling thread.
uint64_t ck_compute_nanoseconds(const ck_compute *compute, ck_work work);

/// How a matrix is stored: floats, MLX's affine form, or a block form of GGUF (see weights.inc for each).
///
/// Affine: `bits` wide unsigned values, a little-endian bit stream along the row, in groups of `group` columns:
/// weight = scale × q + bias.
typedef enum ck_format {
    CK_F32,
    CK_F16,
    CK_BF16,
    CK_AFFINE,
    CK_Q4_0,
    CK_Q4_1,
    CK_Q5_0,
    CK_Q5_1,
    CK_Q8_0,
    CK_Q2_K,
    CK_Q3_K,
    CK_Q4_K,
    CK_Q5_K,
    CK_Q6_K,
    CK_IQ4_NL,
    CK_IQ4_XS,
    CK_MXFP4,
    // In the order in which the integer kernels read them, made of other forms by ck_pack.
    CK_PACKED
} ck_format;

/// A matrix W[rows, columns], whose rows are the outputs. `columns` is a multiple of 16, of `group`, and of the form's
/// block of 32 or 256. Weights and scales need no alignment, except for CK_F32: 4 bytes.
typedef struct ck_matrix {
    ck_format format;
    int rows;
    int columns;
    size_t row_bytes;
    const void *weights;
    // Affine only:
    int bits;   // 2, 3, 4, 5, 6 or 8
    int group;  // a multiple of 32
    ck_format scale_format;  // one of the floats
    const void *scales;  // [rows, columns / group]
    const void *biases;  // [rows, columns / group]
    // Packed only, beside bits (4, 6 or 8), group and scale_format: weight = scale × (q − zero), or affine if `zero` is
    // negative; scales may be bytes that a float holding for 256 columns multiplies.
    int zero;
    bool two_levels;
} ck_matrix;

/// The packed form of a matrix, which loses nothing: of affine ones with 16-bit scales, Q4_0 to Q8_0 and Q2_K to Q6_K, of
/// a multiple of 64 columns. Values of fewer bits than the next of 4, 6 and 8 take that many. Returns false for others.
/// - packed: the form; its `weights` are for the caller to provide, aligned to 64 bytes.
/// - bytes: how much memory they take.
bool ck_packed_form(const ck_matrix *w, ck_matrix *packed, size_t *bytes);
/// Packs W into `weights`, on all threads.
void ck_pack(ck_compute *compute, const ck_matrix *w, const ck_matrix *packed, void *weights);

/// The precision in which packed products see their inputs: integers of 8 bits, or of 15 in two planes.
typedef enum ck_activations { CK_INT8 = 1, CK_INT15 = 2 } ck_activations;
void ck_compute_set_activations(ck_compute *compute, ck_activations activations);
/// Provides memory for the quantised inputs of packed products with up to `columns` columns. Returns false if there is
/// none.
bool ck_compute_reserve_activations(ck_compute *compute, int columns);

/// y[t × y_stride + r] = x[tokens, columns] · Wᵀ, or += if `accumulate`; y_stride is at least `rows`. Needs
/// 16 × columns floats of scratch; packed matrices need reserved activations instead.
void ck_matmul(
    ck_compute *compute, const ck_matrix *w, const float *x, int tokens, float *y, size_t y_stride, bool accumulate);
/// out[i, :] = the row rows[i] of W, for i in 0 ..< count.
void ck_gather_rows(ck_compute *compute, const ck_matrix *w, const int32_t *rows, int count, float *out);
/// out[0 ..< count, :] = the rows first ..< first + count of W, on the calling thread.
void ck_copy_rows(const ck_compute *compute, const ck_matrix *w, int first, int count, float *out);
/// The first row of W that holds an infinity or what is not a number, or -1. Reads all of W, on all threads. Needs
/// `columns` floats of scratch.
int ck_first_row_not_finite(ck_compute *compute, const ck_matrix *w);

/// y[tokens, size] = x / sqrt(mean(x²) + epsilon) × weight, or += if `accumulate`, each row by itself. `size` is a
/// multiple of 16, as in the next two.
void ck_rms_norm(
    ck_compute *compute, const float *x, const float *weight, int tokens, int size, float epsilon, float *y,
    bool accumulate);
/// y[tokens, size] += bias[size].
void ck_add_bias(ck_compute *compute, const float *bias, int tokens, int size, float *y);

/// silu(g) = g / (1 + e^-g); the other is GELU in the approximation by tanh.
typedef enum ck_activation { CK_SILU = 0, CK_GELU_TANH = 1 } ck_activation;
/// y[tokens, size] = activation(gate) × up, where x[tokens, 2 × size] holds gate, then up, in each row.
void ck_gate(ck_compute *compute, ck_activation activation, const float *x, int tokens, int size, float *y);

/// y[count] = y × factor.
void ck_scale(ck_compute *compute, float factor, size_t count, float *y);
/// y[count] = cap × tanh(y / cap).
void ck_soft_cap(ck_compute *compute, float cap, size_t count, float *y);

/// Chooses experts: logits[tokens, experts] become their softmax, whose `count` largest values go to weights[tokens,
/// count], the largest first, and their places to chosen[tokens, count], the lower first among equals. With `normalize`
/// the weights of a token are divided by their sum. Always chooses different experts, 0 ..< experts, also where a logit
/// is not a number.
void ck_route(
    ck_compute *compute, float *logits, int tokens, int experts, int count, bool normalize, int32_t *chosen,
    float *weights);
/// y[rows[i], :] += weights[i] × x[i, :] for i in 0 ..< count, the rows all different; `size` is a multiple of 16.
void ck_add_rows(
    ck_compute *compute, const float *x, const int32_t *rows, const float *weights, int count, int size, float *y);

// The choice of a token, on the calling thread, of `count` logits of any number.

/// Logits whose weights are summed together.
enum { CK_STRETCH = 256 };

/// The place of the largest, the first if there are several; -1 if one is infinite or not a number.
int32_t ck_largest_logit(const ck_compute *compute, const float *x, int count);
/// weights[count] = e^((x - largest) / temperature); `weights` may be `x`.
void ck_sampling_weights(
    const ck_compute *compute, const float *x, int count, float largest, float temperature, float *weights);
/// The sums of these weights over each CK_STRETCH logits.
void ck_sampling_sums(
    const ck_compute *compute, const float *x, int count, float largest, float temperature, float *sums);
/// The places, in order, of the first `capacity` logits that are at least `threshold`. Returns how many there are in all.
int ck_logits_above(
    const ck_compute *compute, const float *x, int count, float threshold, int32_t *places, int capacity);

/// How keys and values are stored: floats, or bytes with a float scale for each position of a head.
typedef enum ck_kv_type { CK_KV_F32, CK_KV_F16, CK_KV_BF16, CK_KV_INT8 } ck_kv_type;
/// Bytes that the key and the value of one position take in one head.
size_t ck_kv_position_bytes(ck_kv_type type, int head_size);

/// The KV memory of one layer. A block is `block_bytes` and holds tiles of 16 positions, each as kv.h has it:
///
///     memory + block × block_bytes + layer_offset + (tile × kv_heads + head) × 16 × ck_kv_position_bytes
typedef struct ck_kv {
    uint8_t *memory;  // aligned to 64 bytes, as are all tiles
    size_t block_bytes;
    size_t layer_offset;
    ck_kv_type type;
    int tiles_per_block;
    int kv_heads;
    int head_size;  // a multiple of 16, at most 256
} ck_kv;

/// Where one token of a step stands.
typedef struct ck_place {
    const int32_t *blocks;  // the block table of its session
    int position;
} ck_place;

/// Tokens of one session at consecutive positions of one tile.
typedef struct ck_run {
    int32_t row;
    int32_t count;
} ck_run;

/// The most queries of a span.
enum { CK_SPAN_QUERIES = 16 };

/// Queries that are answered together: some tokens of a run × some heads. Either all heads share one head of keys and
/// values, or they are all those of several, which then are read as they lie side by side. How queries are put together
/// changes no result.
typedef struct ck_span {
    int32_t row;
    int32_t count;
    int32_t head;
    int32_t heads;
} ck_span;

/// What is done to q and k before they meet, in this order.
typedef struct ck_preparation {
    const float *q_norm;  // [head_size]: RMS norm of each head; NULL for none
    const float *k_norm;
    float epsilon;
    int dimensions;        // the first so many of a head turn, i with i + dimensions / 2; even, at most head_size
    const float *cosines;  // [tokens, dimensions / 2]
    const float *sines;
    float scale;  // of q
} ck_preparation;

/// Prepares q and k, and writes k and v to KV memory. qkv[tokens, (heads + 2 × kv_heads) × head_size]; q stays in place.
/// The runs are those of all tokens.
void ck_prepare_and_store(
    ck_compute *compute, const ck_kv *kv, const ck_place *places, float *qkv, int heads,
    const ck_preparation *preparation, const ck_run *runs, int run_count);

/// What a token sees: the last `window` positions of its session (0: all), each score s becoming
/// soft_cap × tanh(s / soft_cap) before the softmax (0: staying as it is).
typedef struct ck_view {
    int window;
    float soft_cap;
} ck_view;

/// Provides memory in which attention over contexts of up to `context` positions is divided among threads, enough for a
/// few sessions. A step that needs more is divided by queries alone. Returns false if there is none.
bool ck_compute_reserve_parts(ck_compute *compute, int context, int heads, int head_size);

/// out[tokens, heads × head_size] = causal attention of each token's q.
void ck_attention(
    ck_compute *compute, const ck_kv *kv, const ck_place *places, const float *qkv, int heads, ck_view view,
    const ck_span *spans, int span_count, float *out);

// Limits to hold the kernels against, on all threads.

/// Reads `bytes` of memory (the part of each of 64 items a multiple of 512 bytes) once; returns something that depends on
/// all of it.
uint32_t ck_probe_read(ck_compute *compute, const void *memory, size_t bytes);
/// Multiplies and adds bytes in registers: 16,384 operations a round on each thread.
void ck_probe_dots(ck_compute *compute, int rounds);

#endif
