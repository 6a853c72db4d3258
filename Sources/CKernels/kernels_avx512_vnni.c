// Ice Lake (2019), Zen 4 (2022) and later.
#if defined(__x86_64__)
#include "kernels.h"

#include <immintrin.h>

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"))), apply_to = function)
#define VARIANT kernels_avx512_vnni
#define TILE_ROWS 4
#define TILE_TOKENS 4
#define SUMS 16
#define LOOK_UP(table, indices) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(indices)))
#define HALVES(halves) ((f16v)_mm512_cvtph_ps((__m256i)(halves)))
#define DOT4(bits, sums, codes, inputs)                                                                                \
    ((i16v)_mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(codes), (__m512i)(inputs)))
#define LOOK_UP_LINE(table, indices)                                                                                   \
    ((b64v)_mm512_shuffle_epi8(_mm512_broadcast_i32x4((__m128i)(table)), (__m512i)(indices)))
#include "compress512.inc"
#include "kernels.inc"
#pragma clang attribute pop
#endif
