// Arm CPUs with byte dot products: Apple M1 (2020), Neoverse N1 (2019) and later.
#if defined(__aarch64__)
#include "kernels.h"

#include <arm_neon.h>

// All functions that take vectors are inlined, so their calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

typedef float lanes_f __attribute__((ext_vector_type(16)));
typedef int32_t lanes_i __attribute__((ext_vector_type(16)));
typedef uint16_t lanes_h __attribute__((ext_vector_type(16)));
typedef uint8_t line_b __attribute__((ext_vector_type(64)));

/// A vector of 16 lanes as four vectors of four.
typedef union quarters {
    lanes_f floats;
    lanes_i integers;
    line_b bytes;
    float32x4_t f[4];
    int32x4_t i[4];
    int8x16_t b[4];
} quarters;

#define NARROW static inline __attribute__((always_inline))

NARROW lanes_f halves128(lanes_h halves) {
    union {
        lanes_h all;
        float16x4_t h[4];
    } from = {.all = halves};
    quarters to;
    for (int k = 0; k < 4; k++) to.f[k] = vcvt_f32_f16(from.h[k]);
    return to.floats;
}

/// The instruction takes signed bytes only, so codes have at most seven bits.
NARROW lanes_i dot128(lanes_i sums, line_b codes, lanes_i inputs) {
    quarters all = {.integers = sums}, a = {.bytes = codes}, b = {.integers = inputs};
    for (int k = 0; k < 4; k++) all.i[k] = vdotq_s32(all.i[k], a.b[k], b.b[k]);
    return all.integers;
}

NARROW lanes_i wide_dot128(lanes_i sums, line_b codes, lanes_i inputs) {
    return dot128(sums, codes & 127, inputs) + (dot128((lanes_i)0, codes >> 7, inputs) << 7);
}

typedef int8_t table_c __attribute__((ext_vector_type(16)));

NARROW line_b look_up128(table_c table, line_b indices) {
    quarters all = {.bytes = indices};
    for (int k = 0; k < 4; k++) all.b[k] = vqtbl1q_s8((int8x16_t)table, vreinterpretq_u8_s8(all.b[k]));
    return all.bytes;
}

#define VARIANT kernels_neon
#define TILE_ROWS 2
#define TILE_TOKENS 2
#define SUMS 4
#define HALVES(halves) halves128(halves)
#define DOT4(bits, sums, codes, inputs) ((bits) < 8 ? dot128(sums, codes, inputs) : wide_dot128(sums, codes, inputs))
#define LOOK_UP(table, indices) ((c16v)vqtbl1q_s8((int8x16_t)(table), (uint8x16_t)(indices)))
#define LOOK_UP_LINE(table, indices) look_up128(table, indices)
#include "kernels.inc"
#pragma clang attribute pop
#endif
