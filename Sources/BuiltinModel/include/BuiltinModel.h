#include <stddef.h>
int pensieve_builtin_file(const char *name, const unsigned char **bytes, size_t *length);
