// What free() keeps for the next malloc(), given back to the system.
#include "include/ckernels.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

void ck_trim_heap(void) {
#ifdef __GLIBC__
    // All arenas, and free pages in the middle of them too.
    malloc_trim(0);
#endif
}
