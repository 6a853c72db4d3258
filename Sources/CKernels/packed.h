// The memory layout of packed weights and of the quantised activations they are multiplied with.
//
// Weights: panels of 32 rows, each a sequence of units of 64 columns. A unit holds two blocks of 16 rows, which are
// computed together: first both headers, then the lines of the two blocks interleaved, so that memory is read
// sequentially. A line is 64 bytes, four for each row of its block:
//
//     4 bits    8 lines: line j has columns 8j … 8j+3 in the low nibbles and 8j+4 … 8j+7 in the high ones
//     6 bits    the low four as above; then 4 lines: line j has the high two of columns 16j … 16j+3 in the lowest two
//               bits of its bytes, of 16j+4 … 16j+7 in the next two, and so on
//     8 bits    16 lines: line j has columns 4j … 4j+3
//
// One line is one or more operands of a byte dot product instruction (`vpdpbusd`). Codes that are floats of 4 bits are
// looked up in a table first, which gives twice their value, plus 12.
//
// The header has 16 scales (16-bit floats) for each group of the unit, then, affine only, 16 biases for each. With
// two-level scales, as in GGUF's K formats, these are signed bytes that are multiplied by 16-bit floats shared by 256
// columns. Those precede every fourth unit: for each of the two blocks, 16 floats of the scales, then 16 of the biases,
// which are stored negated.
//
// Activations: tiles of 1, 2, 4 or 8 tokens, quantised to signed bytes with a float scale for each group. One plane of
// bytes holds 8-bit activations; two planes, high × 128 + low, hold 15-bit ones. A tile has, for each unit:
//
//     codes     [token][plane][64] bytes
//     scales    [group][token] floats
//     sums      [group][token]: affine: float, scale × sum of the values; else int32 [group][token][plane], -zero × sum
//
// Mixed activations have one plane, and the second one only for the groups of a token that stand out from the others in
// its row, which cause most of the error of 8 bits. These are listed, and multiplied after all others.
#ifndef PENSIEVE_PACKED_H
#define PENSIEVE_PACKED_H

#include "matrices.h"

enum { UNIT = 64, SUPER_UNITS = 4, BLOCK_ROWS = 16, PANEL_ROWS = CK_PANEL_ROWS, LINE = 64 };
/// The distance from a line of a block to the next line of the same block.
enum { LINE_STEP = 2 * LINE };
enum { MAX_TILE = 8, MAX_PLANES = 2, MAX_GROUPS = 4 };
/// The zero of floats of 4 bits, of which the largest is 6.
enum { FLOAT4_ZERO = 12 };
/// Units whose outliers one list holds.
enum { OUTLIER_UNITS = 16 };

/// What follows from the format of a packed matrix; sizes in bytes.
typedef struct packed_shape {
    int bits;
    int groups;  // in a unit: 1, 2 or 4
    bool affine;
    bool two_levels;
    bool brain;  // 16-bit floats are bfloat16, not float16
    bool float4;  // codes are floats of 4 bits
    int zero;     // of symmetric forms: weight = scale × (code − zero)
    int units;
    size_t super;  // of one block: the floats before every fourth unit
    size_t header;  // of one block
    size_t unit;
    size_t panel;
} packed_shape;

static inline packed_shape packed_shape_of(const ck_matrix *w) {
    packed_shape s = {
        .bits = w->bits,
        .groups = w->group >= UNIT ? 1 : UNIT / w->group,
        .affine = w->zero < 0,
        .two_levels = w->two_levels,
        .brain = w->scale_format == CK_BF16,
        .float4 = w->float4,
        .zero = w->zero,
        .units = w->columns / UNIT,
    };
    size_t kinds = s.affine ? 2 : 1;
    if (s.two_levels) s.super = BLOCK_ROWS * 2 * kinds;
    s.header = (size_t)s.groups * BLOCK_ROWS * (s.two_levels ? 1 : 2) * kinds;
    s.unit = 2 * (s.header + (size_t)(s.bits * UNIT / 8) * BLOCK_ROWS);
    s.panel = s.unit * (size_t)s.units + 2 * s.super * (size_t)(s.units / SUPER_UNITS);
    return s;
}

static inline int panel_count(const ck_matrix *w) { return (w->rows + PANEL_ROWS - 1) / PANEL_ROWS; }

/// Packs one panel of W into `weights`, which holds all panels.
void pack_panel(const ck_matrix *w, const ck_matrix *packed, int panel, void *weights);

/// The token count of the next tile when `left` tokens are left; it can exceed `left` (the rest is padding).
static inline int tile_tokens(int left) { return left > 4 ? 8 : left > 2 ? 4 : left; }

/// The most tokens whose activations are quantised at a time.
enum { SLAB = 256 };
/// A group of one or two tokens whose inputs have a second plane.
typedef struct outlier {
    int32_t group;      // unit × groups + group
    uint8_t tokens[2];  // of the tile; of one token twice the same
    int32_t zeros[2];   // symmetric: -zero × the sum of the second plane's codes
} outlier;

/// Quantised activations of up to SLAB tokens.
typedef struct activations {
    int8_t *codes;   // [tile][unit][token][plane][UNIT]
    float *scales;   // [tile][unit][group][token]
    int32_t *sums;   // [tile][unit][group][token][plane]; affine: floats, [tile][unit][group][token]
    int planes;
    // Mixed: a group is an outlier if the square of its largest input is above `bound` times the mean square of the
    // token's row, or `inner_bound` times if the matrix has inner inputs. Both are 0 if not mixed.
    float bound, inner_bound;
    int8_t *lows;       // the second plane: [tile][unit][token][UNIT]
    outlier *outliers;  // [tile], a list for each OUTLIER_UNITS units with room for all of their groups
    int32_t *counts;    // [tile], of those lists; as in the others, a tile has room for each token
} activations;

/// Outliers of one group at most: tokens go in pairs.
static inline int token_pairs(int tokens) { return (tokens + 1) / 2; }
static inline int outlier_lists(const packed_shape *s) { return (s->units + OUTLIER_UNITS - 1) / OUTLIER_UNITS; }

/// Those of the tile behind tiles for `tokens` tokens, and of what follows it.
static inline activations activations_from(const activations *all, const packed_shape *s, int tokens) {
    activations a = *all;
    size_t before = (size_t)tokens * (size_t)s->units;
    a.codes += before * (size_t)(a.planes * UNIT);
    a.scales += before * (size_t)s->groups;
    a.sums += before * (size_t)(s->groups * (s->affine ? 1 : a.planes));
    if (a.bound > 0) {
        a.lows += before * UNIT;
        a.outliers += before * (size_t)s->groups;
        a.counts += tokens * outlier_lists(s);
    }
    return a;
}

#endif
