// Portable, for any CPU.
#include "kernels.h"

typedef int32_t lanes __attribute__((ext_vector_type(16)));
typedef uint8_t line_bytes __attribute__((ext_vector_type(64)));

static inline lanes dot(lanes sums, line_bytes codes, lanes inputs) {
    const int8_t *bytes = (const int8_t *)&inputs;
    for (int i = 0; i < 64; i++) sums[i / 4] += codes[i] * bytes[i];
    return sums;
}

#define VARIANT kernels_scalar
#define TILE_ROWS 1
#define TILE_TOKENS 1
#define SUMS 2
#define UNROLLED _Pragma("clang loop unroll(disable)")
#define HALVES(halves) widen_half(halves)
#define DOT4(bits, sums, codes, inputs) dot(sums, codes, inputs)
#include "kernels.inc"
