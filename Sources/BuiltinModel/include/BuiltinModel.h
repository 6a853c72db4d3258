#ifndef PENSIEVE_BUILTIN_MODEL_H
#define PENSIEVE_BUILTIN_MODEL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Finds a file of the built-in model by its name, such as "config.json". Returns 1 with `*bytes` pointing to `*length`
/// bytes in static memory, aligned to 64 bytes, or 0 without writing anything.
int pensieve_builtin_file(const char *name, const unsigned char **bytes, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
