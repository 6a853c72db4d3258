// The machine's limits, which benchmarks compare the kernels with.
#include "compute.h"

typedef struct probe {
    ck_compute *compute;
    const uint8_t *memory;
    size_t part;
    int rounds;
    uint32_t *results;
} probe;

enum { PROBE_PARTS = 64 };

static void read_item(void *context, int item, int worker) {
    (void)worker;
    const probe *p = context;
    p->results[item] = p->compute->kernels->probe_read(p->memory + (size_t)item * p->part, p->part);
}

uint32_t ck_probe_read(ck_compute *c, const void *memory, size_t bytes) {
    uint32_t results[PROBE_PARTS], all = 0;
    probe p = {.compute = c, .memory = memory, .part = bytes / PROBE_PARTS / 512 * 512, .results = results};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, PROBE_PARTS, 1, read_item, &p);
    for (int i = 0; i < PROBE_PARTS; i++) all ^= results[i];
    return all;
}

static void dots_item(void *context, int item, int worker) {
    (void)item;
    (void)worker;
    const probe *p = context;
    // Stored, so that the compiler does not remove the computation.
    volatile uint32_t sink = p->compute->kernels->probe_dots(p->rounds);
    (void)sink;
}

void ck_probe_dots(ck_compute *c, int rounds) {
    probe p = {.compute = c, .rounds = rounds};
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, c->threads, 1, dots_item, &p);
}
