// What becomes of matrices once, when they are loaded and no kernel reads them as they are in the file: parallel loops.
#include "compute.h"

#include <math.h>
#include <string.h>

typedef struct transposition {
    const void *from;
    void *to;
    size_t rows;
    size_t columns;
    size_t size;
} transposition;

/// A square of so many elements a side is in the first-level cache twice, and its rows are whole cache lines.
enum { TRANSPOSED_SIDE = 64 };

typedef uint16_t eight __attribute__((vector_size(16)));

/// a0 b0 a1 b1 … of the lower halves of a and b, and of the upper ones.
static void interleave(eight a, eight b, eight *lower, eight *upper) {
    *lower = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *upper = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/// Eight rows and columns of 16 bits: rows interleaved with those four further, three times, are the columns.
static void transpose_eight(const uint16_t *from, size_t from_stride, uint16_t *to, size_t to_stride) {
    eight rows[8], mixed[8];
    for (int i = 0; i < 8; i++) memcpy(&rows[i], from + (size_t)i * from_stride, sizeof rows[i]);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) interleave(rows[i], rows[i + 4], &mixed[2 * i], &mixed[2 * i + 1]);
        memcpy(rows, mixed, sizeof rows);
    }
    for (int i = 0; i < 8; i++) memcpy(to + (size_t)i * to_stride, &rows[i], sizeof rows[i]);
}

static void transpose_16(const transposition *t, size_t row, size_t end, size_t column, size_t last) {
    const uint16_t *from = t->from;
    uint16_t *to = t->to;
    for (size_t c = column; c < last; c += 8) {
        for (size_t r = row; r < end; r += 8) {
            if (c + 8 <= last && r + 8 <= end) {
                transpose_eight(from + r * t->columns + c, t->columns, to + c * t->rows + r, t->rows);
                continue;
            }
            for (size_t i = c; i < c + 8 && i < last; i++)
                for (size_t j = r; j < r + 8 && j < end; j++) to[i * t->rows + j] = from[j * t->columns + i];
        }
    }
}

static void transpose_32(const transposition *t, size_t row, size_t end, size_t column, size_t last) {
    const uint32_t *from = t->from;
    uint32_t *to = t->to;
    for (size_t c = column; c < last; c++)
        for (size_t r = row; r < end; r++) to[c * t->rows + r] = from[r * t->columns + c];
}

/// Some rows of the source, which is read in order: it may come from a disk.
static void transpose_item(void *context, int item, int worker) {
    (void)worker;
    const transposition *t = context;
    size_t row = (size_t)item * TRANSPOSED_SIDE;
    size_t end = row + TRANSPOSED_SIDE < t->rows ? row + TRANSPOSED_SIDE : t->rows;
    for (size_t column = 0; column < t->columns; column += TRANSPOSED_SIDE) {
        size_t last = column + TRANSPOSED_SIDE < t->columns ? column + TRANSPOSED_SIDE : t->columns;
        (t->size == 2 ? transpose_16 : transpose_32)(t, row, end, column, last);
    }
}

void ck_transpose(ck_compute *c, const void *from, size_t rows, size_t columns, size_t size, void *to) {
    transposition t = {from, to, rows, columns, size};
    int count = (int)((rows + TRANSPOSED_SIDE - 1) / TRANSPOSED_SIDE);
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, count, 1, transpose_item, &t);
}

typedef struct float8 {
    const uint8_t *codes;
    const float *factors;
    uint16_t *out;
    float values[256];
    size_t columns;
    size_t block;
} float8;

/// The value of a float of 8 bits: a sign, 4 bits of exponent, 3 of mantissa; no infinities, and NaN if all bits but the
/// sign are set.
static float float8_value(int code) {
    int exponent = code >> 3 & 15, mantissa = code & 7;
    float size = exponent > 0 ? ldexpf((float)(8 + mantissa), exponent - 10) : ldexpf((float)mantissa, -9);
    if ((code & 127) == 127) size = NAN;
    return code & 128 ? -size : size;
}

/// The nearest float of 16 bits (bfloat16), of two equally near ones the even one.
static uint16_t rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    // Rounding could make a finite number of it.
    if (value != value) return 0x7fc0;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void float8_item(void *context, int item, int worker) {
    (void)worker;
    const float8 *f = context;
    size_t row = (size_t)item;
    const uint8_t *codes = f->codes + row * f->columns;
    const float *factors = f->factors + row / f->block * ((f->columns + f->block - 1) / f->block);
    uint16_t *out = f->out + row * f->columns;
    for (size_t column = 0; column < f->columns; column++)
        out[column] = rounded(f->values[codes[column]] * factors[column / f->block]);
}

void ck_decode_float8(
    ck_compute *c, const uint8_t *codes, int rows, int columns, const float *factors, int block, uint16_t *out) {
    float8 f = {.codes = codes, .factors = factors, .out = out, .columns = (size_t)columns, .block = (size_t)block};
    for (int code = 0; code < 256; code++) f.values[code] = float8_value(code);
    ck_parallel_for(c, CK_WORK_ELEMENTWISE, rows, grain_of((size_t)columns), float8_item, &f);
}
