// Skylake-X (2017).
#if defined(__x86_64__)
#include "kernels.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)
#define VARIANT kernels_avx512
#define TILE_ROWS 4
#define TILE_TOKENS 4
#define SUMS 16
#define HALVES(halves) ((f16v)_mm512_cvtph_ps((__m256i)(halves)))
// Pairs of products are added in 16 bits, which suffices for codes of up to seven bits; 8-bit codes are split in two.
#define PAIRS(sums, codes, inputs)                                                                                     \
    ((sums)                                                                                                            \
     + (i16v)_mm512_madd_epi16(_mm512_maddubs_epi16((__m512i)(codes), (__m512i)(inputs)), _mm512_set1_epi16(1)))
#define DOT4(bits, sums, codes, inputs)                                                                                \
    ((bits) < 8 ? PAIRS(sums, codes, inputs)                                                                           \
                : PAIRS(sums, (codes) & 127, inputs) + (PAIRS((i16v)0, (codes) >> 7, inputs) << 7))
#define ADD_PAIRS(pairs, codes, inputs) ((pairs) + (i16h)_mm512_maddubs_epi16((__m512i)(codes), (__m512i)(inputs)))
#define WIDENED(pairs) ((i16v)_mm512_madd_epi16((__m512i)(pairs), _mm512_set1_epi16(1)))
#define LOOK_UP(table, indices) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(indices)))
#define LOOK_UP_LINE(table, indices)                                                                                   \
    ((b64v)_mm512_shuffle_epi8(_mm512_broadcast_i32x4((__m128i)(table)), (__m512i)(indices)))
#include "compress512.inc"
#include "kernels.inc"
#pragma clang attribute pop
#endif
