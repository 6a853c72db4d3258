// Protection against mapped files that another process truncates.
#ifndef PENSIEVE_MAPPING_GUARD_H
#define PENSIEVE_MAPPING_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Makes reads beyond the end of a truncated mapped file give zeros and set `flag` to 1, instead of killing the process
/// with SIGBUS. `start` is the start of the mapping; `flag` is 0 at first and must live until `ck_forget_mapping`.
/// Returns false, without an effect, if there are too many mappings.
bool ck_guard_mapping(const void *start, size_t bytes, int32_t *flag);
/// Must be called before the memory is unmapped.
void ck_forget_mapping(const void *start);
/// Unblocks SIGBUS on the calling thread, which may have been created with all signals blocked.
void ck_receive_faults(void);
/// Whether any thread has set the flag (acquire).
bool ck_flag_is_set(const int32_t *flag);

#endif
