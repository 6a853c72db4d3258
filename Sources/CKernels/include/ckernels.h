// The compute side of the engine: a thread pool, and the kernels of a transformer with a paged KV cache.
//
// Every result is a float32, computed in an order that depends on the shapes only: not on the number of threads, the
// other rows of the batch or the instruction set (reductions use 16 lanes everywhere, with fused multiply-adds). So a
// token's result has the same bits in every batch and on every variant.
//
// Arguments are not validated here: the callers in Inference do that.
#ifndef PENSIEVE_CKERNELS_H
#define PENSIEVE_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Lanes of every reduction, and positions in one tile of the KV cache.
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

/// A thread pool and the kernels of one variant. Used by one thread at a time, which acts as worker 0.
typedef struct ck_compute ck_compute;

/// Starts `threads - 1` threads. Returns NULL if that fails.
ck_compute *ck_compute_create(ck_variant variant, int threads);
void ck_compute_destroy(ck_compute *compute);
int ck_compute_threads(const ck_compute *compute);
/// Allocates `floats` of scratch memory for each worker. Returns false if that fails.
bool ck_compute_reserve(ck_compute *compute, size_t floats);
/// The cores that this process may run on, which can be fewer than the machine has.
int ck_core_count(void);
/// One worker's scratch memory.
float *ck_compute_scratch(ck_compute *compute, int worker);

/// Kinds of work whose time is counted separately: matrix products, the quantisation of their inputs, attention (with
/// what is applied to q and k before, and the writes to the KV cache), masks of constrained answers, sampling, and
/// elementwise or per-row operations (norms, gates, embeddings).
typedef enum ck_work {
    CK_WORK_MATMUL, CK_WORK_QUANTIZE, CK_WORK_ATTENTION, CK_WORK_CONSTRAINT, CK_WORK_SAMPLING, CK_WORK_ELEMENTWISE
} ck_work;
enum { CK_WORK_COUNT = 6 };

typedef void (*ck_body)(void *context, int item, int worker);
/// Parallel for: runs `body` for each item in 0 ..< count on all threads, in chunks of `grain` consecutive items, and
/// returns when all are done. Idle threads spin for some tens of microseconds, then sleep.
void ck_parallel_for(ck_compute *compute, ck_work work, int count, int grain, ck_body body, void *context);
/// Total time of one kind of work so far: wall-clock time of its regions on the calling thread.
uint64_t ck_compute_nanoseconds(const ck_compute *compute, ck_work work);

/// How a matrix is stored: floats, MLX's affine format, or a GGUF block format (layouts: weights.inc).
///
/// Affine: unsigned values of `bits` bits, a little-endian bit stream along the row, in groups of `group` columns:
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
    // MXFP4 in the layout of files other than GGUF: see scales of ck_matrix.
    CK_FLOAT4,
    // Repacked by ck_pack from another format into the order in which the integer kernels read.
    CK_PACKED
} ck_format;

/// A matrix W[rows, columns], one row per output. `columns` is a multiple of 16, of `group`, and of the format's block
/// size (32 or 256). Weights and scales need no alignment, except for CK_F32: 4 bytes.
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
    const void *scales;  // [rows, columns / group]; of CK_FLOAT4 bytes of exponents [rows, columns / 32]
    const void *biases;  // [rows, columns / group]
    // Packed only, besides bits (4, 6 or 8), group and scale_format: weight = scale × (q − zero), or affine if `zero`
    // is negative. With two levels, scales are signed bytes times a float shared by 256 columns.
    int zero;
    bool two_levels;
    bool float4;  // q − zero is twice the value of a float of 4 bits (E2M1), which is what the codes are
    bool has_inner_inputs;  // inputs come from heads or a gate: with CK_MIXED they must stand out further for 15 bits
} ck_matrix;

/// Rows of a packed matrix that lie together: every so many of them are a packed matrix too.
enum { CK_PANEL_ROWS = 32 };

/// The fewest tokens of a step for which a thread works on them alone, and reads all weights by itself: it multiplies each
/// byte so often then that reading does not matter.
enum { CK_OWN_TOKENS = 64 };

/// Describes the packed form of a matrix, which is lossless. Supported: affine with 16-bit scales, Q4_0 to Q8_0, Q2_K to
/// Q6_K and MXFP4, with columns a multiple of 64; returns false for others. Values are widened to 4, 6 or 8 bits.
/// - packed: receives the description; the caller provides `weights`, aligned to 64 bytes.
/// - bytes: receives the size of `weights`.
bool ck_packed_form(const ck_matrix *w, ck_matrix *packed, size_t *bytes);
/// Packs W into `weights`, on all threads.
void ck_pack(ck_compute *compute, const ck_matrix *w, const ck_matrix *packed, void *weights);

/// The precision of the quantised inputs of packed products: 8 bits, 15 bits in two planes of bytes, or 15 bits where a
/// token's inputs stand out and 8 bits elsewhere.
typedef enum ck_activations { CK_INT8 = 1, CK_INT15 = 2, CK_MIXED = 3 } ck_activations;
/// Frees the memory that was reserved for others.
void ck_compute_set_activations(ck_compute *compute, ck_activations activations);
/// Allocates memory for the quantised inputs of packed products with up to `columns` columns. Returns false if that
/// fails.
bool ck_compute_reserve_activations(ck_compute *compute, int columns);

/// y[t × y_stride + r] = x[tokens, columns] · Wᵀ, or += if `accumulate`; y_stride is at least `rows`. Needs
/// 16 × columns floats of scratch memory; packed matrices need reserved activations instead.
void ck_matmul(
    ck_compute *compute, const ck_matrix *w, const float *x, int tokens, float *y, size_t y_stride, bool accumulate);
/// The same for several matrices one below the other, with the same columns; y_stride is at least the sum of their rows.
void ck_matmul_parts(
    ck_compute *compute, const ck_matrix *parts, int count, const float *x, int tokens, float *y, size_t y_stride,
    bool accumulate);
/// Whether matrices may be in groups of one product: packed, with inputs that are quantised alike.
bool ck_share_inputs(const ck_matrix *a, const ck_matrix *b);
/// Matrices one below the other, and how many tokens are theirs.
typedef struct ck_matmul_group {
    const ck_matrix *parts;
    int count;
    int tokens;
} ck_matmul_group;
/// The most tokens of all groups.
enum { CK_GROUPED_TOKENS = 256 };
/// The same of several groups at once, whose tokens follow each other in x and in y. All parts share their inputs, and those
/// of all groups have the same rows.
void ck_matmul_groups(
    ck_compute *compute, const ck_matmul_group *groups, int count, const float *x, float *y, size_t y_stride);
/// out[i, :] = W[rows[i], :] for i in 0 ..< count.
void ck_gather_rows(ck_compute *compute, const ck_matrix *w, const int32_t *rows, int count, float *out);
/// out[0 ..< count, :] = W[first ..< first + count, :], on the calling thread.
void ck_copy_rows(const ck_compute *compute, const ck_matrix *w, int first, int count, float *out);
/// to[columns, rows] = from[rows, columns] transposed, elements of `size` bytes, 2 or 4, on all threads.
void ck_transpose(ck_compute *compute, const void *from, size_t rows, size_t columns, size_t size, void *to);
/// out[rows, columns] = floats of 8 bits (E4M3) times the factor of their square of `block` rows and columns, as bfloat16,
/// on all threads. factors: [rows / block, columns / block], both rounded up.
void ck_decode_float8(
    ck_compute *compute, const uint8_t *codes, int rows, int columns, const float *factors, int block, uint16_t *out);
/// The first row of W that holds an infinity or NaN, or -1. Reads all of W, on all threads. Needs `columns` floats of
/// scratch memory.
int ck_first_nonfinite_row(ck_compute *compute, const ck_matrix *w);

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

/// A matrix of each head: rows h × stride + first ..< h × stride + first + rows of another one. If that is packed, these
/// three are multiples of CK_PANEL_ROWS, and it is not transposed.
typedef struct ck_head_matrices {
    ck_matrix all;
    int heads;
    int stride;
    int first;
    int rows;
    bool transposed;  // whether the columns are the outputs
} ck_head_matrices;
/// Vectors of each head: those of a token begin at start + token × token_stride + head × head_stride.
typedef struct ck_head_vectors {
    float *start;
    size_t token_stride;
    size_t head_stride;
} ck_head_vectors;
/// Scratch floats that each worker needs for ck_multiply_heads with matrices of so many columns and inputs.
size_t ck_head_scratch(int columns, int inputs);
/// y = scale × W x for each token and head: in float32, or of packed matrices with quantised inputs.
void ck_multiply_heads(
    ck_compute *compute, const ck_head_matrices *w, ck_head_vectors x, float scale, int tokens, ck_head_vectors y);

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

// The machine's limits, as a reference for benchmarks, on all threads.

/// Reads `bytes` of memory once (rounded down to 64 items of a multiple of 512 bytes); returns a value that depends on
/// all of it.
uint32_t ck_probe_read(ck_compute *compute, const void *memory, size_t bytes);
/// Multiplies and adds bytes in registers: 16,384 multiply-adds a round on each thread.
void ck_probe_dots(ck_compute *compute, int rounds);

#endif
