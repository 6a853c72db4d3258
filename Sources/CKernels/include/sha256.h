// The compression function of SHA-256 (FIPS 180-4, section 6.2.2). Padding and buffering are the caller's.
#ifndef PENSIEVE_SHA256_H
#define PENSIEVE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Takes `blocks` blocks of 64 bytes into `state`, by the CPU's own instructions where it has them.
void ck_sha256_compress(uint32_t state[8], const uint8_t *data, size_t blocks);
/// The same by plain arithmetic, on every CPU.
void ck_sha256_compress_scalar(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
