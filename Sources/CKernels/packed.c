// Packs weights from the formats of files into the layout of packed.h. Runs once at load; portable.
#include "packed.h"

#include <string.h>

// MARK: Formats

/// The packed equivalent of a format: bits, group, zero (negative: affine), and whether scales have two levels.
static bool describe(const ck_matrix *w, ck_matrix *p) {
    switch (w->format) {
    case CK_AFFINE:
        if (w->scale_format == CK_F32 || (w->group != 32 && w->group % UNIT != 0)) return false;
        p->bits = w->bits <= 4 ? 4 : w->bits <= 6 ? 6 : 8;
        p->group = w->group == 32 ? 32 : UNIT;
        p->scale_format = w->scale_format;
        p->zero = -1;
        return true;
    case CK_Q4_0: p->bits = 4, p->group = 32, p->zero = 8; return true;
    case CK_Q4_1: p->bits = 4, p->group = 32, p->zero = -1; return true;
    case CK_Q5_0: p->bits = 6, p->group = 32, p->zero = 16; return true;
    case CK_Q5_1: p->bits = 6, p->group = 32, p->zero = -1; return true;
    case CK_Q8_0: p->bits = 8, p->group = 32, p->zero = 128; return true;
    case CK_MXFP4:
    case CK_FLOAT4:
        p->bits = 4, p->group = 32, p->zero = FLOAT4_ZERO, p->float4 = true, p->scale_format = CK_BF16;
        return true;
    case CK_Q2_K: p->bits = 4, p->group = 16, p->zero = -1, p->two_levels = true; return true;
    case CK_Q3_K: p->bits = 4, p->group = 16, p->zero = 4, p->two_levels = true; return true;
    case CK_Q4_K: p->bits = 4, p->group = 32, p->zero = -1, p->two_levels = true; return true;
    case CK_Q5_K: p->bits = 6, p->group = 32, p->zero = -1, p->two_levels = true; return true;
    case CK_Q6_K: p->bits = 6, p->group = 16, p->zero = 32, p->two_levels = true; return true;
    default: return false;
    }
}

bool ck_packed_form(const ck_matrix *w, ck_matrix *packed, size_t *bytes) {
    ck_matrix p = {.format = CK_PACKED, .rows = w->rows, .columns = w->columns, .scale_format = CK_F16};
    if (w->columns % UNIT != 0 || !describe(w, &p)) return false;
    *packed = p;
    *bytes = packed_shape_of(packed).panel * (size_t)panel_count(packed);
    return true;
}

// MARK: Reading

/// One unit of one row, unpacked. Scales and biases are 16-bit floats, or signed bytes with two-level scales.
typedef struct unit {
    uint8_t codes[UNIT];
    uint16_t scales[MAX_GROUPS];
    uint16_t biases[MAX_GROUPS];
    uint16_t super_scale;
    uint16_t super_bias;
} unit;

static uint16_t two_bytes(const uint8_t *from) { return (uint16_t)(from[0] | from[1] << 8); }

static void read_affine(const ck_matrix *w, int groups, int row, int index, unit *u) {
    const uint8_t *q = (const uint8_t *)w->weights + (size_t)row * w->row_bytes + (size_t)index * (size_t)(w->bits * 8);
    if (w->bits == 4) {
        for (int i = 0; i < UNIT / 2; i++) u->codes[2 * i] = q[i] & 15, u->codes[2 * i + 1] = q[i] >> 4;
    } else if (w->bits == 8) {
        memcpy(u->codes, q, UNIT);
    } else {
        // Eight values take `bits` bytes.
        for (int i = 0; i < UNIT; i += 8, q += w->bits) {
            uint64_t stream = 0;
            memcpy(&stream, q, (size_t)w->bits);
            for (int j = 0; j < 8; j++) u->codes[i + j] = stream >> (j * w->bits) & ((1 << w->bits) - 1);
        }
    }
    size_t first = (size_t)row * (size_t)(w->columns / w->group);
    for (int g = 0; g < groups; g++) {
        size_t at = first + (size_t)((index * UNIT + g * UNIT / groups) / w->group);
        u->scales[g] = two_bytes((const uint8_t *)w->scales + 2 * at);
        u->biases[g] = two_bytes((const uint8_t *)w->biases + 2 * at);
    }
}

/// Half the power of two of a byte of exponent, as a bfloat16: products have doubled values.
static uint16_t half_power(int exponent) { return (uint16_t)(exponent < 2 ? 0x20 << exponent : (exponent - 1) << 7); }

static void read_float4(const ck_matrix *w, int row, int index, unit *u) {
    const uint8_t *codes = (const uint8_t *)w->weights + (size_t)row * w->row_bytes + (size_t)index * (UNIT / 2);
    const uint8_t *exponents = (const uint8_t *)w->scales + (size_t)row * (size_t)(w->columns / 32) + 2 * (size_t)index;
    for (int i = 0; i < UNIT / 2; i++) u->codes[2 * i] = codes[i] & 15, u->codes[2 * i + 1] = codes[i] >> 4;
    for (int g = 0; g < 2; g++) u->scales[g] = half_power(exponents[g]);
}

/// Nibbles in the order of GGUF's blocks of 32: values j in the low and j + 16 in the high ones.
static void read_nibbles(const uint8_t *q, uint8_t *codes) {
    for (int i = 0; i < 16; i++) codes[i] = q[i] & 15, codes[16 + i] = q[i] >> 4;
}

static void add_fifth_bits(const uint8_t *bits, uint8_t *codes) {
    for (int i = 0; i < 32; i++) codes[i] |= (uint8_t)((bits[i / 8] >> (i % 8) & 1) << 4);
}

static void read_blocks_of_32(ck_format format, const uint8_t *row, int index, unit *u) {
    for (int g = 0; g < 2; g++) {
        uint8_t *codes = u->codes + 32 * g;
        int at = 2 * index + g;
        const uint8_t *block;
        switch (format) {
        case CK_Q4_0: block = row + 18 * at, read_nibbles(block + 2, codes); break;
        case CK_Q4_1: block = row + 20 * at, read_nibbles(block + 4, codes); break;
        case CK_Q5_0: block = row + 22 * at, read_nibbles(block + 6, codes), add_fifth_bits(block + 2, codes); break;
        case CK_Q5_1: block = row + 24 * at, read_nibbles(block + 8, codes), add_fifth_bits(block + 4, codes); break;
        case CK_MXFP4:
            block = row + 17 * at, read_nibbles(block + 1, codes);
            u->scales[g] = half_power(block[0]);
            continue;
        default:
            block = row + 34 * at;
            for (int i = 0; i < 32; i++) codes[i] = block[2 + i] ^ 128;
        }
        u->scales[g] = two_bytes(block);
        u->biases[g] = two_bytes(block + 2);
    }
}

static uint16_t byte_of(int value) { return (uint8_t)value; }

/// Scale and minimum of part `part` (0 ..< 8) from the 12 bytes of Q4_K and Q5_K.
static void read_k_scale(const uint8_t *s, int part, unit *u, int g) {
    int low = part % 4;
    u->scales[g] = byte_of(part < 4 ? s[low] & 63 : (s[8 + low] & 15) | s[low] >> 6 << 4);
    u->biases[g] = byte_of(part < 4 ? s[4 + low] & 63 : s[8 + low] >> 4 | s[4 + low] >> 6 << 4);
}

/// Unpacks the quarter `quarter` of a block of 256 (formats: weights.inc).
static void read_quarter(ck_format format, const uint8_t *block, int quarter, unit *u) {
    switch (format) {
    case CK_Q4_K:
    case CK_Q5_K: {
        const uint8_t *q = block + (format == CK_Q4_K ? 16 : 48) + 32 * quarter;
        for (int i = 0; i < 32; i++) u->codes[i] = q[i] & 15, u->codes[32 + i] = q[i] >> 4;
        for (int i = 0; format == CK_Q5_K && i < UNIT; i++) {
            u->codes[i] |= (uint8_t)((block[16 + i % 32] >> (2 * quarter + i / 32) & 1) << 4);
        }
        for (int g = 0; g < 2; g++) read_k_scale(block + 4, 2 * quarter + g, u, g);
        u->super_scale = two_bytes(block);
        u->super_bias = two_bytes(block + 2);
        break;
    }
    case CK_Q6_K:
        for (int i = 0; i < UNIT; i++) {
            int at = quarter % 2 * 64 + i;
            int low = block[quarter / 2 * 64 + at % 64] >> (at / 64 * 4) & 15;
            int high = block[128 + quarter / 2 * 32 + at % 32] >> (at / 32 * 2) & 3;
            u->codes[i] = (uint8_t)(low | high << 4);
        }
        for (int g = 0; g < 4; g++) u->scales[g] = block[192 + 4 * quarter + g];
        u->super_scale = two_bytes(block + 208);
        break;
    case CK_Q3_K:
        for (int i = 0; i < UNIT; i++) {
            int at = quarter % 2 * 64 + i;
            int low = block[32 + quarter / 2 * 32 + at % 32] >> (at / 32 * 2) & 3;
            int third = block[at % 32] >> (quarter / 2 * 4 + at / 32) & 1;
            u->codes[i] = (uint8_t)(low | third << 2);
        }
        for (int g = 0; g < 4; g++) {
            int part = 4 * quarter + g;
            int low = block[96 + part % 8] >> (part / 8 * 4) & 15;
            u->scales[g] = byte_of((low | (block[104 + part % 4] >> (part / 4 * 2) & 3) << 4) - 32);
        }
        u->super_scale = two_bytes(block + 108);
        break;
    default:
        for (int i = 0; i < UNIT; i++) {
            int at = quarter % 2 * 64 + i;
            u->codes[i] = block[16 + quarter / 2 * 32 + at % 32] >> (at / 32 * 2) & 3;
        }
        for (int g = 0; g < 4; g++) {
            u->scales[g] = byte_of(block[4 * quarter + g] & 15);
            u->biases[g] = byte_of(block[4 * quarter + g] >> 4);
        }
        u->super_scale = two_bytes(block + 80);
        u->super_bias = two_bytes(block + 82);
    }
}

static void read_unit(const ck_matrix *w, const packed_shape *s, int row, int index, unit *u) {
    const uint8_t *from = (const uint8_t *)w->weights + (size_t)row * w->row_bytes;
    if (w->format == CK_AFFINE) {
        read_affine(w, s->groups, row, index, u);
    } else if (w->format == CK_FLOAT4) {
        read_float4(w, row, index, u);
    } else if (s->two_levels) {
        size_t block = w->row_bytes / (size_t)(s->units / SUPER_UNITS);
        read_quarter(w->format, from + block * (size_t)(index / SUPER_UNITS), index % SUPER_UNITS, u);
    } else {
        read_blocks_of_32(w->format, from, index, u);
    }
}

// MARK: Writing

static void put(uint8_t *to, uint16_t value) { to[0] = (uint8_t)value, to[1] = (uint8_t)(value >> 8); }

static uint32_t four(const uint8_t *codes, uint32_t mask) {
    uint32_t word;
    memcpy(&word, codes, sizeof word);
    return word & mask;
}

static void put_four(uint8_t *lines, int line, int lane, uint32_t word) {
    memcpy(lines + line * LINE_STEP + lane * 4, &word, sizeof word);
}

static void write_codes(const uint8_t *codes, int bits, uint8_t *lines, int lane) {
    if (bits == 8) {
        for (int j = 0; j < 16; j++) put_four(lines, j, lane, four(codes + 4 * j, UINT32_MAX));
        return;
    }
    for (int j = 0; j < 8; j++) {
        uint32_t low = four(codes + 8 * j, 0x0f0f0f0f), high = four(codes + 8 * j + 4, 0x0f0f0f0f);
        put_four(lines, j, lane, low | high << 4);
    }
    for (int j = 0; bits == 6 && j < 4; j++) {
        uint32_t word = 0;
        for (int i = 0; i < 4; i++) word |= four(codes + 16 * j + 4 * i, 0x30303030) >> 4 << (2 * i);
        put_four(lines, 8 + j, lane, word);
    }
}

/// Writes one row of the unit at `to`.
static void write_unit(const unit *u, const packed_shape *s, uint8_t *to, int row) {
    size_t half = (size_t)(row / BLOCK_ROWS);
    int lane = row % BLOCK_ROWS;
    uint8_t *header = to + half * s->header;
    for (int g = 0; g < s->groups; g++) {
        int at = g * BLOCK_ROWS + lane, bias_at = (s->groups + g) * BLOCK_ROWS + lane;
        if (s->two_levels) {
            header[at] = (uint8_t)u->scales[g];
            if (s->affine) header[bias_at] = (uint8_t)u->biases[g];
        } else {
            put(header + 2 * at, u->scales[g]);
            if (s->affine) put(header + 2 * bias_at, u->biases[g]);
        }
    }
    write_codes(u->codes, s->bits, to + 2 * s->header + half * LINE, lane);
}

void pack_panel(const ck_matrix *w, const ck_matrix *packed, int panel, void *weights) {
    packed_shape s = packed_shape_of(packed);
    uint8_t *to = (uint8_t *)weights + s.panel * (size_t)panel;
    int rows = w->rows - panel * PANEL_ROWS < PANEL_ROWS ? w->rows - panel * PANEL_ROWS : PANEL_ROWS;
    // Padding rows have scales of zero.
    if (rows < PANEL_ROWS) memset(to, 0, s.panel);
    for (int index = 0; index < s.units; index++) {
        uint8_t *super = to;
        bool starts = s.two_levels && index % SUPER_UNITS == 0;
        if (starts) to += 2 * s.super;
        for (int r = 0; r < rows; r++) {
            unit u;
            read_unit(w, &s, panel * PANEL_ROWS + r, index, &u);
            write_unit(&u, &s, to, r);
            if (!starts) continue;
            uint8_t *floats = super + (size_t)(r / BLOCK_ROWS) * s.super + 2 * (r % BLOCK_ROWS);
            put(floats, u.super_scale);
            if (s.affine) put(floats + 2 * BLOCK_ROWS, u.super_bias);
        }
        to += s.unit;
    }
}
