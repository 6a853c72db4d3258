// The definition of `ck_compute`.
#ifndef PENSIEVE_COMPUTE_H
#define PENSIEVE_COMPUTE_H

#include "kernels.h"
#include "pool.h"

struct ck_compute {
    const kernels *kernels;
    pool *pool;
    int threads;
    float *scratch;
    size_t scratch_floats;
    activations activations;
    void *activation_memory;
    int activation_columns;
    float *splits;
    size_t splits_floats;
    uint64_t nanoseconds[CK_WORK_COUNT];
};

/// The grain of a parallel loop whose items cost `cost` operations on 16 lanes each: a chunk is at least about two
/// microseconds of work.
static inline int grain_of(size_t cost) {
    const size_t grain = 4096;
    return cost >= grain ? 1 : (int)(grain / (cost + 1)) + 1;
}

#endif
