// Files that are mapped and may be cut short by others while they are.
#ifndef PENSIEVE_MAPPING_GUARD_H
#define PENSIEVE_MAPPING_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Makes reads from a mapped file that has no bytes there any more give zeros, and set `flag` to 1, instead of ending the
/// process. `start` is where the mapping begins; `flag`, which is 0 before, must live until `ck_forget_mapping`. Returns
/// false if there are too many mappings: this one then is as it was.
bool ck_guard_mapping(const void *start, size_t bytes, int32_t *flag);
/// To be called before the memory is unmapped.
void ck_forget_mapping(const void *start);
/// Lets the calling thread, which may have been made with all signals blocked, have its faults handled.
void ck_receive_faults(void);
/// Reads a flag as it is now, whichever thread has set it.
bool ck_flag_is_set(const int32_t *flag);

#endif
