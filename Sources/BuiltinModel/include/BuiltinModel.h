#ifndef PENSIEVE_BUILTIN_MODEL_H
#define PENSIEVE_BUILTIN_MODEL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Finds a file of the built-in model by its name, for example "config.json". On success the answer is 1 and `*bytes`
/// points at `*length` bytes that live as long as the program; the pointer is aligned to 64 bytes. Otherwise the answer
/// is 0 and nothing is written.
int pensieve_builtin_file(const char *name, const unsigned char **bytes, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
