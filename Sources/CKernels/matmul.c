// Operations on matrices: parallel loops around the kernels.
#include "compute.h"

#include <limits.h>
#include <stdatomic.h>

/// `count` matrices with the same columns, whose outputs stand side by side.
typedef struct matmul {
    ck_compute *compute;
    const ck_matrix *w;
    int count;
    const float *x;
    float *y;
    size_t y_stride;
    int tokens;
    bool accumulate;
    // Packed only: items of a tile's quantisation; panels of all matrices, and the parts of the tokens that each is multiplied
    // with by itself.
    int quantise_parts;
    int panels;
    int parts;
} matmul;

static void multiply_item(void *context, int item, int worker) {
    const matmul *p = context;
    const ck_matrix *w = p->w;
    int first = item * ROW_BLOCK;
    int rows = w->rows - first < ROW_BLOCK ? w->rows - first : ROW_BLOCK;
    const float *weights;
    if (w->format == CK_F32) {
        weights = (const float *)w->weights + (size_t)first * (size_t)w->columns;
    } else {
        float *scratch = ck_compute_scratch(p->compute, worker);
        p->compute->kernels->copy_rows(w, first, rows, scratch);
        weights = scratch;
    }
    p->compute->kernels->multiply(
        weights, rows, w->columns, p->x, p->tokens, p->y + first, p->y_stride, p->accumulate);
}

// MARK: Packed matrices

typedef struct packing {
    const ck_matrix *from;
    const ck_matrix *to;
    void *weights;
} packing;

static void pack_item(void *context, int item, int worker) {
    (void)worker;
    const packing *p = context;
    pack_panel(p->from, p->to, item, p->weights);
}

void ck_pack(ck_compute *c, const ck_matrix *w, const ck_matrix *packed, void *weights) {
    packing p = {w, packed, weights};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, panel_count(packed), 1, pack_item, &p);
}

// Inputs are quantised once for all panels, at most SLAB tokens at a time to bound the memory.

/// Units that one item of the quantisation covers: enough that threads rarely share a cache line. With many tiles an item is
/// a whole tile.
enum { QUANTISED_UNITS = OUTLIER_UNITS };

/// Chunks of work for each thread that make its load even.
enum { EVEN_LOAD = 4 };

/// Items of the quantisation of each of some tiles.
static int quantise_items(const ck_compute *c, const packed_shape *s, int tiles) {
    return tiles >= EVEN_LOAD * c->threads ? 1 : (s->units + QUANTISED_UNITS - 1) / QUANTISED_UNITS;
}

/// Item `item` of `parts` of the quantisation of a tile, which is behind tiles for `place` tokens.
static void quantise_part(
    const ck_compute *c, const ck_matrix *w, const float *x, int tokens, int place, int item, int parts) {
    packed_shape s = packed_shape_of(w);
    int units = parts == 1 ? s.units : QUANTISED_UNITS, unit = item * units;
    int end = s.units - unit < units ? s.units : unit + units;
    activations tile = activations_from(&c->activations, &s, place);
    c->kernels->quantise_units(w, x, tokens, tile_tokens(tokens), unit, end, &tile);
}

static void quantise_item(void *context, int item, int worker) {
    (void)worker;
    const matmul *p = context;
    int most = MAX_TILE / p->compute->activations.planes, first = item / p->quantise_parts * most;
    int tokens = p->tokens - first < most ? p->tokens - first : most;
    const float *x = p->x + (size_t)first * (size_t)p->w->columns;
    quantise_part(p->compute, p->w, x, tokens, first, item % p->quantise_parts, p->quantise_parts);
}

/// The first token of a part, at the beginning of a tile.
static int part_start(const matmul *p, int part) {
    int most = MAX_TILE / p->compute->activations.planes, tiles = (p->tokens + most - 1) / most;
    int first = tiles * part / p->parts * most;
    return first < p->tokens ? first : p->tokens;
}

/// A panel of matrices one below the other, and tokens whose inputs are quantised behind tiles for `place` others.
static void multiply_panel_of(
    const ck_compute *c, const ck_matrix *w, int panel, int place, int tokens, float *y, size_t y_stride,
    bool accumulate) {
    for (; panel >= panel_count(w); w++) {
        panel -= panel_count(w);
        y += w->rows;
    }
    packed_shape s = packed_shape_of(w);
    activations a = activations_from(&c->activations, &s, place);
    c->kernels->multiply_panel(w, panel, &a, tokens, y + (size_t)panel * PANEL_ROWS, y_stride, accumulate);
}

/// Panels that a thread takes at a time: at most about 128 KiB of weights, enough for the prefetcher, and few enough for
/// even load.
static int panel_grain(const ck_compute *c, const packed_shape *s, int items) {
    int grain = (int)((128 << 10) / s->panel), even = items / (EVEN_LOAD * c->threads);
    if (grain > even) grain = even;
    return grain > 1 ? grain : 1;
}

/// Into how many parts a slab's tokens are divided, each of whole tiles. With as many as there are threads, a thread's part has
/// the tokens that it has quantised, and of which it has computed the inputs, and computes on with the outputs: caches that are
/// far apart then share little; with more threads, a few share a part. With few panels for each thread there are more parts, for
/// even load.
static int token_parts(const ck_compute *c, int tokens, int tiles, int panels) {
    int own = tokens / CK_OWN_TOKENS < c->threads ? tokens / CK_OWN_TOKENS : c->threads;
    int even = EVEN_LOAD * c->threads / panels;
    int parts = own > even ? own : even;
    if (parts > tiles) parts = tiles;
    return parts > 1 ? parts : 1;
}

/// One panel of all matrices', and one part of the tokens.
static void panel_item(void *context, int item, int worker) {
    (void)worker;
    const matmul *p = context;
    int part = item / p->panels, first = part_start(p, part), tokens = part_start(p, part + 1) - first;
    float *y = p->y + (size_t)first * p->y_stride;
    multiply_panel_of(p->compute, p->w, item % p->panels, first, tokens, y, p->y_stride, p->accumulate);
}

static void multiply_packed(ck_compute *c, const matmul *all) {
    packed_shape s = packed_shape_of(all->w);
    int most = MAX_TILE / c->activations.planes, panels = 0;
    for (int i = 0; i < all->count; i++) panels += panel_count(&all->w[i]);
    for (int first = 0; first < all->tokens; first += SLAB) {
        matmul p = *all;
        p.tokens = all->tokens - first < SLAB ? all->tokens - first : SLAB;
        p.x += (size_t)first * (size_t)p.w->columns;
        p.y += (size_t)first * p.y_stride;
        int tiles = (p.tokens + most - 1) / most, together = p.tokens < most ? p.tokens : most;
        p.quantise_parts = quantise_items(c, &s, tiles);
        size_t cost = (size_t)((p.quantise_parts == 1 ? s.units : QUANTISED_UNITS) * UNIT / 4 * together);
        ck_parallel_for(c, CK_WORK_QUANTIZE, tiles * p.quantise_parts, grain_of(cost), quantise_item, &p);
        p.panels = panels;
        p.parts = token_parts(c, p.tokens, tiles, panels);
        int items = panels * p.parts;
        ck_parallel_for(c, CK_WORK_MATMUL, items, panel_grain(c, &s, items), panel_item, &p);
    }
}

bool ck_share_inputs(const ck_matrix *a, const ck_matrix *b) {
    if (a->format != CK_PACKED || b->format != CK_PACKED || a->columns != b->columns) return false;
    packed_shape s = packed_shape_of(a), t = packed_shape_of(b);
    return s.groups == t.groups && s.zero == t.zero && a->has_inner_inputs == b->has_inner_inputs;
}

void ck_matmul(
    ck_compute *c, const ck_matrix *w, const float *x, int tokens, float *y, size_t y_stride, bool accumulate) {
    ck_matmul_parts(c, w, 1, x, tokens, y, y_stride, accumulate);
}

void ck_matmul_parts(
    ck_compute *c, const ck_matrix *parts, int count, const float *x, int tokens, float *y, size_t y_stride,
    bool accumulate) {
    for (int i = 0, together; i < count; i += together) {
        const ck_matrix *w = &parts[i];
        for (together = 1; i + together < count && ck_share_inputs(w, w + together);) together++;
        matmul p = {c, w, together, x, y, y_stride, tokens, accumulate, 1, 1, 1};
        if (w->format == CK_PACKED) {
            multiply_packed(c, &p);
        } else {
            size_t cost = (size_t)(w->columns / 16) * ROW_BLOCK * (size_t)(tokens + 4);
            ck_parallel_for(c, CK_WORK_MATMUL, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), multiply_item, &p);
        }
        for (int k = 0; k < together; k++) y += w[k].rows;
    }
}

// MARK: Groups

/// A tile of quantised inputs: `tokens` rows of x from `row` on, behind tiles for `place` tokens.
typedef struct group_tile {
    int row;
    int tokens;
    int place;
} group_tile;

/// Groups whose inputs are quantised together.
typedef struct grouped {
    ck_compute *compute;
    const ck_matmul_group *groups;
    const float *x;
    float *y;
    size_t y_stride;
    int panels;  // of each group
    int parts;   // items of a tile's quantisation
    int group_count;
    int tile_count;
    group_tile tiles[SLAB + MAX_TILE];
    int first_tile[SLAB + MAX_TILE];  // of each group
} grouped;

static void grouped_quantise_item(void *context, int item, int worker) {
    (void)worker;
    const grouped *g = context;
    const ck_matrix *w = g->groups->parts;
    const group_tile *t = &g->tiles[item / g->parts];
    const float *x = g->x + (size_t)t->row * (size_t)w->columns;
    quantise_part(g->compute, w, x, t->tokens, t->place, item % g->parts, g->parts);
}

static void grouped_panel_item(void *context, int item, int worker) {
    (void)worker;
    const grouped *g = context;
    const ck_matmul_group *group = &g->groups[item / g->panels];
    const group_tile *first = &g->tiles[g->first_tile[item / g->panels]];
    float *y = g->y + (size_t)first->row * g->y_stride;
    multiply_panel_of(
        g->compute, group->parts, item % g->panels, first->place, group->tokens, y, g->y_stride, false);
}

/// As many groups as there is room for, from `groups` on, the first of which begins at `row`. Returns the next row.
static int divide_groups(grouped *g, int count, int row) {
    int most = MAX_TILE / g->compute->activations.planes, place = 0;
    g->group_count = g->tile_count = 0;
    for (; g->group_count < count; g->group_count++) {
        int tokens = g->groups[g->group_count].tokens, places = 0;
        for (int first = 0; first < tokens; first += most)
            places += tile_tokens(tokens - first < most ? tokens - first : most);
        if (place + places > SLAB + MAX_TILE) break;
        g->first_tile[g->group_count] = g->tile_count;
        for (int first = 0; first < tokens; first += most) {
            int here = tokens - first < most ? tokens - first : most;
            g->tiles[g->tile_count++] = (group_tile){row + first, here, place};
            place += tile_tokens(here);
        }
        row += tokens;
    }
    return row;
}

void ck_matmul_groups(
    ck_compute *c, const ck_matmul_group *groups, int count, const float *x, float *y, size_t y_stride) {
    grouped g = {.compute = c, .groups = groups, .x = x, .y = y, .y_stride = y_stride};
    for (int i = 0; i < groups->count; i++) g.panels += panel_count(&groups->parts[i]);
    packed_shape s = packed_shape_of(groups->parts);
    int row = 0;
    for (; count > 0; g.groups += g.group_count, count -= g.group_count) {
        row = divide_groups(&g, count, row);
        // Never: the groups have CK_GROUPED_TOKENS tokens at most.
        if (g.group_count == 0) return;
        g.parts = quantise_items(c, &s, g.tile_count);
        size_t cost = (size_t)((g.parts == 1 ? s.units : QUANTISED_UNITS) * UNIT);
        ck_parallel_for(c, CK_WORK_QUANTIZE, g.tile_count * g.parts, grain_of(cost), grouped_quantise_item, &g);
        int items = g.group_count * g.panels;
        ck_parallel_for(c, CK_WORK_MATMUL, items, panel_grain(c, &s, items), grouped_panel_item, &g);
    }
}

typedef struct gather {
    ck_compute *compute;
    const ck_matrix *w;
    const int32_t *rows;
    float *out;
} gather;

static void gather_item(void *context, int item, int worker) {
    (void)worker;
    const gather *g = context;
    g->compute->kernels->copy_rows(g->w, g->rows[item], 1, g->out + (size_t)item * (size_t)g->w->columns);
}

void ck_gather_rows(ck_compute *c, const ck_matrix *w, const int32_t *rows, int count, float *out) {
    gather g = {c, w, rows, out};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, count, grain_of((size_t)w->columns / 4), gather_item, &g);
}

void ck_copy_rows(const ck_compute *c, const ck_matrix *w, int first, int count, float *out) {
    c->kernels->copy_rows(w, first, count, out);
}

typedef struct finite_check {
    ck_compute *compute;
    const ck_matrix *w;
    atomic_int first_bad;
} finite_check;

static void check_item(void *context, int item, int worker) {
    finite_check *f = context;
    float *scratch = ck_compute_scratch(f->compute, worker);
    int end = item * ROW_BLOCK + ROW_BLOCK < f->w->rows ? item * ROW_BLOCK + ROW_BLOCK : f->w->rows;
    for (int row = item * ROW_BLOCK; row < end; row++) {
        f->compute->kernels->copy_rows(f->w, row, 1, scratch);
        if (f->compute->kernels->is_finite(scratch, f->w->columns)) continue;
        int known = atomic_load(&f->first_bad);
        while (row < known && !atomic_compare_exchange_weak(&f->first_bad, &known, row)) {}
        return;
    }
}

int ck_first_nonfinite_row(ck_compute *c, const ck_matrix *w) {
    finite_check f = {.compute = c, .w = w, .first_bad = INT_MAX};
    size_t cost = (size_t)(w->columns / 4) * ROW_BLOCK;
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, (w->rows + ROW_BLOCK - 1) / ROW_BLOCK, grain_of(cost), check_item, &f);
    int first = atomic_load(&f.first_bad);
    return first == INT_MAX ? -1 : first;
}
