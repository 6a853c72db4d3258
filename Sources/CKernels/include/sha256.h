// The compression function of SHA-256 (FIPS 180-4, section 6.2.2). Padding and buffering are the caller's.
#ifndef PENSIEVE_SHA256_H
#define PENSIEVE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Compresses `blocks` blocks of 64 bytes into `state`, with the CPU's SHA instructions where there are any.
void ck_sha256_compress(uint32_t state[8], const uint8_t *data, size_t blocks);
/// The portable implementation.
void ck_sha256_compress_scalar(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
