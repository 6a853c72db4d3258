// Alder Lake (2021), Zen 5 (2024) and later: AVX2 with the byte dot products of AVX-VNNI.
#if defined(__x86_64__)
#include "kernels.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#define VARIANT kernels_avx2_vnni
#define TILE_ROWS 2
#define TILE_TOKENS 2
#define SUMS 4
#define LOOK_UP(table, indices) ((c16v)__builtin_ia32_pshufb128((table), (c16v)(indices)))
#define LOOK_UP_LINE(table, indices) look_up256(table, indices)
#define HALVES(halves) halves256(halves)
#define DOT4(bits, sums, codes, inputs) vnni256(sums, codes, inputs)
#include "wide256.inc"

WIDE w16i vnni256(w16i sums, w64b codes, w16i inputs) {
    sums.lo = (w8i)_mm256_dpbusd_avx_epi32((__m256i)sums.lo, (__m256i)codes.lo, (__m256i)inputs.lo);
    sums.hi = (w8i)_mm256_dpbusd_avx_epi32((__m256i)sums.hi, (__m256i)codes.hi, (__m256i)inputs.hi);
    return sums;
}

#include "kernels.inc"
#pragma clang attribute pop
#endif
