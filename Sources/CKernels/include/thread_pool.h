// The compute side of the engine: a thread pool, and the instruction sets of the kernels that run on it.
//
// Every result is a float32, computed in an order that depends on the shapes only: not on the number of threads, the
// other rows of the batch or the instruction set (reductions use 16 lanes everywhere, with fused multiply-adds). So a
// token's result has the same bits in every batch and on every variant.
//
// Arguments are not validated here: the callers in Inference do that.
#ifndef PENSIEVE_THREAD_POOL_H
#define PENSIEVE_THREAD_POOL_H

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

// The machine's limits, as a reference for benchmarks, on all threads.

/// Reads `bytes` of memory once (rounded down to 64 items of a multiple of 512 bytes); returns a value that depends on
/// all of it.
uint32_t ck_probe_read(ck_compute *compute, const void *memory, size_t bytes);
/// Multiplies and adds bytes in registers: 16,384 multiply-adds a round on each thread.
void ck_probe_dots(ck_compute *compute, int rounds);

#endif
