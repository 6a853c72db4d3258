#ifndef PENSIEVE_WEB_PAGE_H
#define PENSIEVE_WEB_PAGE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Finds a file of the chat page by its name, such as "page.css". Returns 1 with `*bytes` pointing to `*length` bytes
/// of UTF-8 in static memory, or 0 without writing anything.
int pensieve_page_file(const char *name, const unsigned char **bytes, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
