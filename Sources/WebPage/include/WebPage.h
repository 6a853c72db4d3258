#ifndef PENSIEVE_WEB_PAGE_H
#define PENSIEVE_WEB_PAGE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Finds a file of the chat page by its name, for example "page.css". On success the answer is 1 and `*bytes` points at
/// `*length` bytes of UTF-8 that live as long as the program. Otherwise the answer is 0 and nothing is written.
int pensieve_page_file(const char *name, const unsigned char **bytes, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
