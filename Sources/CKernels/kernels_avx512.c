// Skylake-X (2017), Zen 4 (2022) and later.
#if defined(__x86_64__)
#include "kernels.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)
#define VARIANT kernels_avx512
#define TILE_ROWS 4
#define TILE_TOKENS 4
#define LOOK_UP(table, places) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(places)))
#include "kernels.inc"
#pragma clang attribute pop
#endif
