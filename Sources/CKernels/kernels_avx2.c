// Haswell (2013), Zen 1 (2017) and later.
#if defined(__x86_64__)
#include "kernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define VARIANT kernels_avx2
#define TILE_ROWS 2
#define TILE_TOKENS 2
#define LOOK_UP(table, places) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(places)))
#include "kernels.inc"
#pragma clang attribute pop
#endif
