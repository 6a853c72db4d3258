// System calls of the thread pool that differ between Linux and macOS.
#ifndef PENSIEVE_SYSTEM_H
#define PENSIEVE_SYSTEM_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#if defined(__linux__)

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

/// Sleeps while `*word` is `value`; may return early.
static inline void sleep_on(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

/// Wakes all threads that sleep on `word`.
static inline void wake_sleepers(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/// Sets the calling thread's name (15 bytes at most).
static inline void name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

/// The cores that this process may run on, which can be fewer than the machine has; 0 if unknown.
static inline int usable_cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

#elif defined(__APPLE__)

#include <os/os_sync_wait_on_address.h>

static inline void sleep_on(_Atomic uint32_t *word, uint32_t value) {
    os_sync_wait_on_address((void *)word, value, sizeof *word, OS_SYNC_WAIT_ON_ADDRESS_NONE);
}

static inline void wake_sleepers(_Atomic uint32_t *word) {
    os_sync_wake_by_address_all((void *)word, sizeof *word, OS_SYNC_WAKE_BY_ADDRESS_NONE);
}

static inline void name_thread(const char *name) { pthread_setname_np(name); }

static inline int usable_cores(void) { return 0; }

#endif

#endif
