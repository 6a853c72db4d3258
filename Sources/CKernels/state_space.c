// Mamba-2's selective state space: parallel loops around the kernels.
#include "compute.h"

enum { SPACE_CHANNELS = 64 };

typedef struct space_work {
    ck_compute *compute;
    const ck_state_space *space;
    const ck_state_run *runs;
    const float *x;
    float *mixed;
    float *steps;
    float *out;
    int items;  // of a run
} space_work;

/// A block of channels of a run, or the steps of its tokens.
static void convolve_item(void *context, int item, int worker) {
    (void)worker;
    const space_work *w = context;
    const ck_state_space *s = w->space;
    const ck_state_run *run = &w->runs[item / w->items];
    int block = item % w->items;
    if (block < w->items - 1) {
        int first = block * SPACE_CHANNELS, end = first + SPACE_CHANNELS;
        if (end > space_channels(s)) end = space_channels(s);
        w->compute->kernels->space_convolve(s, run, first, end, w->x, w->mixed);
        return;
    }
    for (int t = run->row; t < run->row + run->count; t++)
        w->compute->kernels->space_steps(
            s, w->x + (size_t)t * (size_t)space_row_floats(s), w->steps + (size_t)t * 2 * (size_t)s->heads);
}

static void recur_item(void *context, int item, int worker) {
    (void)worker;
    const space_work *w = context;
    const ck_state_space *s = w->space;
    w->compute->kernels->space_recur(
        s, &w->runs[item / s->heads], item % s->heads, w->x, w->mixed, w->steps, w->out);
}

/// A group of a token.
static void norm_item(void *context, int item, int worker) {
    (void)worker;
    const space_work *w = context;
    const ck_state_space *s = w->space;
    int size = space_inner(s) / s->groups;
    float *y = w->out + (size_t)item * (size_t)size;
    w->compute->kernels->rms_norm(y, s->norm + (size_t)(item % s->groups) * (size_t)size, size, s->epsilon, y, false);
}

void ck_state_space_apply(
    ck_compute *c, const ck_state_space *space, const ck_state_run *runs, int run_count, const float *x, float *mixed,
    float *steps, float *out) {
    space_work w = {
        .compute = c, .space = space, .runs = runs, .x = x, .mixed = mixed, .steps = steps, .out = out,
        .items = (space_channels(space) + SPACE_CHANNELS - 1) / SPACE_CHANNELS + 1};
    if (run_count == 0) return;
    size_t count = (size_t)runs[0].count, size = (size_t)space->head_size;
    int tokens = 0;
    for (int r = 0; r < run_count; r++) tokens += runs[r].count;
    ck_parallel_for(
        c, CK_WORK_ATTENTION, run_count * w.items, grain_of(count * SPACE_CHANNELS / 4), convolve_item, &w);
    ck_parallel_for(
        c, CK_WORK_ATTENTION, run_count * space->heads, grain_of(count * size * (size_t)space->state_size / 8),
        recur_item, &w);
    ck_parallel_for(
        c, CK_WORK_ATTENTION, tokens * space->groups, grain_of((size_t)(space_inner(space) / space->groups) / 4),
        norm_item, &w);
}
