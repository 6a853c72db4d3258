// Haswell (2013), Zen 1 (2017) and later.
#if defined(__x86_64__)
#include "kernels.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define VARIANT kernels_avx2
#define TILE_ROWS 2
#define TILE_TOKENS 2
#define SUMS 4
#define HALVES(halves) halves256(halves)
// Pairs of products are added in 16 bits, which suffices for codes of up to seven bits; 8-bit codes are split in two.
#define DOT4(bits, sums, codes, inputs) ((bits) < 8 ? dot256(sums, codes, inputs) : wide_dot256(sums, codes, inputs))
#define ADD_PAIRS(pairs, codes, inputs) add_pairs256(pairs, codes, inputs)
#define WIDENED(pairs) widened256(pairs)
#define LOOK_UP(table, indices) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(indices)))
#define LOOK_UP_LINE(table, indices) look_up256(table, indices)
#include "wide256.inc"
#include "kernels.inc"
#pragma clang attribute pop
#endif
