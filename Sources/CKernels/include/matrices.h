// Matrices of weights in every format, and products with them.
#ifndef PENSIEVE_MATRICES_H
#define PENSIEVE_MATRICES_H

#include "thread_pool.h"

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

#endif
