// Products with a matrix for each head: parallel loops around the kernels.
#include "compute.h"

/// Rows that are made floats at a time, and tokens that are multiplied with them.
enum { HEAD_ROWS = 64, HEAD_TOKENS = 64 };

typedef struct head_work {
    ck_compute *compute;
    const ck_head_matrices *w;
    ck_head_vectors x;
    float scale;
    int tokens;
    ck_head_vectors y;
} head_work;

static int head_inputs(const ck_head_matrices *w) { return w->transposed ? w->rows : w->all.columns; }

/// Floats of the scratch memory that hold quantised inputs of HEAD_TOKENS tokens: codes, scales, and sums.
static size_t code_floats(int columns) { return (size_t)(HEAD_TOKENS * MAX_PLANES) * (size_t)columns / sizeof(float); }
static size_t scale_floats(int columns) {
    return (size_t)(HEAD_TOKENS * MAX_GROUPS) * (((size_t)columns + UNIT - 1) / UNIT);
}

size_t ck_head_scratch(int columns, int inputs) {
    size_t floats = (size_t)HEAD_ROWS * (size_t)columns + (size_t)HEAD_TOKENS * (size_t)inputs;
    size_t quantised = code_floats(columns) + (1 + MAX_PLANES) * scale_floats(columns) + MAX_TILE * (size_t)columns;
    return floats > quantised ? floats : quantised;
}

/// x = scale × the inputs of some tokens of a head, side by side.
static void gather_inputs(const head_work *h, int head, int token, int tokens, int inputs, float *x) {
    for (int t = 0; t < tokens; t++) {
        const float *from = h->x.start + (size_t)(token + t) * h->x.token_stride + (size_t)head * h->x.head_stride;
        for (int i = 0; i < inputs; i++) x[t * inputs + i] = from[i] * h->scale;
    }
}

static float *outputs(const head_work *h, int head, int token) {
    return h->y.start + (size_t)token * h->y.token_stride + (size_t)head * h->y.head_stride;
}

/// Up to HEAD_TOKENS tokens of one head.
static void multiply_head(const head_work *h, int head, int token, int tokens, float *scratch) {
    const ck_head_matrices *w = h->w;
    const kernels *k = h->compute->kernels;
    int inputs = head_inputs(w), columns = w->all.columns;
    float *x = scratch + HEAD_ROWS * columns, *y = outputs(h, head, token);
    gather_inputs(h, head, token, tokens, inputs, x);
    for (int row = 0; row < w->rows; row += HEAD_ROWS) {
        int rows = w->rows - row < HEAD_ROWS ? w->rows - row : HEAD_ROWS;
        k->copy_rows(&w->all, head * w->stride + w->first + row, rows, scratch);
        if (w->transposed) {
            k->multiply_transposed(
                scratch, rows, columns, x + row, (size_t)inputs, tokens, y, h->y.token_stride, row > 0);
        } else {
            k->multiply(scratch, rows, columns, x, tokens, y + row, h->y.token_stride, false);
        }
    }
}

/// The same of packed matrices, in integers.
static void multiply_packed_head(const head_work *h, int head, int token, int tokens, float *scratch) {
    const ck_head_matrices *w = h->w;
    const kernels *k = h->compute->kernels;
    packed_shape s = packed_shape_of(&w->all);
    // Mixed activations have all of these in two planes.
    const activations *chosen = &h->compute->activations;
    int columns = w->all.columns, planes = chosen->bound > 0 ? 2 : chosen->planes, most = MAX_TILE / planes;
    ck_matrix own = w->all;
    own.rows = w->rows;
    own.weights = (const uint8_t *)own.weights + s.panel * (size_t)((head * w->stride + w->first) / PANEL_ROWS);
    float *scales = scratch + code_floats(columns), *sums = scales + scale_floats(columns);
    float *x = sums + MAX_PLANES * scale_floats(columns);
    activations all = {.codes = (int8_t *)scratch, .scales = scales, .sums = (int32_t *)sums, .planes = planes};
    for (int first = 0; first < tokens; first += most) {
        int together = tokens - first < most ? tokens - first : most;
        gather_inputs(h, head, token + first, together, columns, x);
        activations tile = activations_from(&all, &s, first);
        k->quantise_units(&own, x, together, tile_tokens(together), 0, s.units, &tile);
    }
    float *y = outputs(h, head, token);
    for (int panel = 0; panel < panel_count(&own); panel++)
        k->multiply_panel(&own, panel, &all, tokens, y + (size_t)panel * PANEL_ROWS, h->y.token_stride, false);
}

static void head_item(void *context, int item, int worker) {
    const head_work *h = context;
    float *scratch = ck_compute_scratch(h->compute, worker);
    bool is_packed = h->w->all.format == CK_PACKED;
    for (int token = 0; token < h->tokens; token += HEAD_TOKENS) {
        int tokens = h->tokens - token < HEAD_TOKENS ? h->tokens - token : HEAD_TOKENS;
        if (is_packed) {
            multiply_packed_head(h, item, token, tokens, scratch);
        } else {
            multiply_head(h, item, token, tokens, scratch);
        }
    }
}

void ck_multiply_heads(
    ck_compute *c, const ck_head_matrices *w, ck_head_vectors x, float scale, int tokens, ck_head_vectors y) {
    head_work h = {c, w, x, scale, tokens, y};
    size_t cost = (size_t)(w->all.columns / 16) * (size_t)w->rows * (size_t)(tokens + 4);
    ck_parallel_for(c, CK_WORK_MATMUL, w->heads, grain_of(cost), head_item, &h);
}
