// A read beyond the end of a mapped file that was truncated raises SIGBUS, which would end the process.
//
// The handler maps zeros over the rest of the mapping, so that the reader can go on, and sets the mapping's flag, so
// that results computed from it can be discarded. It is async-signal-safe: it uses this table and one system call only.
#define _GNU_SOURCE
#include "include/mapping_guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/// More than the number of files of any model.
enum { MOST = 4096 };

typedef struct guard {
    uintptr_t start;  // 0: a free entry; written last, and cleared first
    uintptr_t end;
    int32_t *flag;
} guard;

static guard guards[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sigaction before;
static uintptr_t page_size;

static void on_bus_error(int number, siginfo_t *info, void *context) {
    int error = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < MOST; i++) {
        uintptr_t start = __atomic_load_n(&guards[i].start, __ATOMIC_ACQUIRE);
        if (start == 0 || address < start || address >= guards[i].end) continue;
        uintptr_t first = address / page_size * page_size;
        void *zeros = mmap(
            (void *)first, guards[i].end - first, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (zeros == MAP_FAILED) break;
        __atomic_store_n(guards[i].flag, 1, __ATOMIC_RELEASE);
        errno = error;
        return;
    }
    errno = error;
    // Not one of our mappings: behave as if this handler were not installed.
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    } else {
        // The read is repeated, and ends the process.
        signal(number, SIG_DFL);
    }
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    action.sa_sigaction = on_bus_error;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}

bool ck_guard_mapping(const void *start, size_t bytes, int32_t *flag) {
    if (start == NULL || bytes == 0) return false;
    pthread_once(&once, install);
    pthread_mutex_lock(&lock);
    bool found = false;
    for (int i = 0; i < MOST && !found; i++) {
        if (__atomic_load_n(&guards[i].start, __ATOMIC_RELAXED) != 0) continue;
        // The system maps whole pages.
        guards[i].end = ((uintptr_t)start + bytes + page_size - 1) / page_size * page_size;
        guards[i].flag = flag;
        __atomic_store_n(&guards[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
        found = true;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void ck_forget_mapping(const void *start) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST; i++) {
        if (__atomic_load_n(&guards[i].start, __ATOMIC_RELAXED) == (uintptr_t)start) {
            __atomic_store_n(&guards[i].start, 0, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&lock);
}

void ck_receive_faults(void) {
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
}

bool ck_flag_is_set(const int32_t *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE) != 0; }
