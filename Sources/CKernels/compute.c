// Selection of a variant, and the threads and memory of a `ck_compute`.
#include "compute.h"

#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)
/// AVX-VNNI: CPUID leaf 7, sub-leaf 1, bit 4 of EAX. The system saves AVX state if AVX2 is available.
static bool has_avx_vnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4));
}
#elif defined(__aarch64__)
static bool has_dot_products(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
    // Every Apple CPU used in Macs has them.
    return true;
#endif
}
#endif

bool ck_variant_available(ck_variant variant) {
    switch (variant) {
    case CK_SCALAR: return true;
#if defined(__x86_64__)
    case CK_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CK_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    case CK_AVX2_VNNI: return ck_variant_available(CK_AVX2) && has_avx_vnni();
    case CK_AVX512_VNNI: return ck_variant_available(CK_AVX512) && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case CK_NEON: return has_dot_products();
#endif
    default: return false;
    }
}

const char *ck_variant_name(ck_variant variant) {
    switch (variant) {
    case CK_AVX2: return "avx2";
    case CK_AVX2_VNNI: return "avx2-vnni";
    case CK_AVX512: return "avx512";
    case CK_AVX512_VNNI: return "avx512-vnni";
    case CK_NEON: return "neon";
    default: return "scalar";
    }
}

ck_variant ck_variant_best(void) {
    const ck_variant fastest_first[] = {CK_AVX512_VNNI, CK_AVX512, CK_AVX2_VNNI, CK_AVX2, CK_NEON};
    for (size_t i = 0; i < sizeof fastest_first / sizeof *fastest_first; i++) {
        if (ck_variant_available(fastest_first[i])) return fastest_first[i];
    }
    return CK_SCALAR;
}

static const kernels *kernels_of(ck_variant variant) {
    switch (variant) {
#if defined(__x86_64__)
    case CK_AVX2: return &kernels_avx2;
    case CK_AVX2_VNNI: return &kernels_avx2_vnni;
    case CK_AVX512: return &kernels_avx512;
    case CK_AVX512_VNNI: return &kernels_avx512_vnni;
#elif defined(__aarch64__)
    case CK_NEON: return &kernels_neon;
#endif
    default: return &kernels_scalar;
    }
}

ck_compute *ck_compute_create(ck_variant variant, int threads) {
    ck_compute *c = malloc(sizeof *c);
    if (c == NULL) return NULL;
    *c = (ck_compute){.kernels = kernels_of(variant), .pool = pool_create(threads), .threads = threads};
    ck_compute_set_activations(c, CK_INT8);
    if (c->pool == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void ck_compute_destroy(ck_compute *c) {
    pool_destroy(c->pool);
    free(c->scratch);
    free(c->splits);
    free(c->activation_memory);
    free(c);
}

int ck_compute_threads(const ck_compute *c) { return c->threads; }

bool ck_compute_reserve(ck_compute *c, size_t floats) {
    floats = (floats + 15) / 16 * 16;
    if (floats <= c->scratch_floats) return true;
    float *scratch = aligned_alloc(64, floats * (size_t)c->threads * sizeof(float));
    if (scratch == NULL) return false;
    free(c->scratch);
    c->scratch = scratch;
    c->scratch_floats = floats;
    return true;
}

/// The most at which a real model loses little more than a third of what it does with 8 bits: see Numerics.md.
static const float outlier_bound = 40, inner_outlier_bound = 100;

void ck_compute_set_activations(ck_compute *c, ck_activations activations) {
    free(c->activation_memory);
    c->activation_memory = NULL;
    c->activation_columns = 0;
    c->activations.planes = activations == CK_INT15 ? 2 : 1;
    c->activations.bound = activations == CK_MIXED ? outlier_bound : 0;
    c->activations.inner_bound = activations == CK_MIXED ? inner_outlier_bound : 0;
}

bool ck_compute_reserve_activations(ck_compute *c, int columns) {
    if (columns <= c->activation_columns) return true;
    // The last tile may be padded.
    size_t places = (size_t)(SLAB + MAX_TILE) * (((size_t)columns + UNIT - 1) / UNIT);
    size_t planes = (size_t)c->activations.planes;
    bool is_mixed = c->activations.bound > 0;
    const size_t sizes[] = {
        places * UNIT * planes,
        places * MAX_GROUPS * sizeof(float),
        places * MAX_GROUPS * planes * sizeof(int32_t),
        is_mixed ? places * UNIT : 0,
        is_mixed ? places * MAX_GROUPS * sizeof(outlier) : 0,
        is_mixed ? places * sizeof(int32_t) : 0,
    };
    // Parts that began at the same place of a page would be taken for one another by the predictors of caches.
    enum { PAGE = 4096, STEP = 704 };
    size_t starts[sizeof sizes / sizeof sizes[0]], end = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        starts[i] = end + i * STEP;
        end += (sizes[i] + PAGE - 1) / PAGE * PAGE + PAGE;
    }
    uint8_t *memory = aligned_alloc(PAGE, end);
    free(c->activation_memory);
    c->activation_memory = memory;
    c->activation_columns = memory == NULL ? 0 : columns;
    if (memory == NULL) return false;
    c->activations.codes = (int8_t *)(memory + starts[0]);
    c->activations.scales = (float *)(memory + starts[1]);
    c->activations.sums = (int32_t *)(memory + starts[2]);
    c->activations.lows = (int8_t *)(memory + starts[3]);
    c->activations.outliers = (outlier *)(memory + starts[4]);
    c->activations.counts = (int32_t *)(memory + starts[5]);
    return true;
}

float *ck_compute_scratch(ck_compute *c, int worker) { return c->scratch + (size_t)worker * c->scratch_floats; }

static uint64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

void ck_parallel_for(ck_compute *c, ck_work work, int count, int grain, ck_body body, void *context) {
    uint64_t start = nanoseconds();
    pool_for(c->pool, count, grain, body, context);
    c->nanoseconds[work] += nanoseconds() - start;
}

uint64_t ck_compute_nanoseconds(const ck_compute *c, ck_work work) { return c->nanoseconds[work]; }
