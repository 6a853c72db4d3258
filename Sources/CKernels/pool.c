// A parallel region is one function run for many items. Each thread has a range of items, which it processes from the
// front, so that memory is read sequentially; a thread that is done steals from the others' ranges. The caller
// publishes the region, works on it, closes it, and waits only for the threads that had joined by then: a thread that
// is not scheduled in time costs its help and nothing more.
#define _GNU_SOURCE
#include "pool.h"

#include "system.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/// Polls before a waiting thread sleeps, some tens of microseconds: on a busy machine the thread that is waited for may
/// need the core.
enum { SPINS = 4000 };

// The region's state in one word, so that joining is one compare-and-swap, which fails once the region is closed:
//     63 … 32   number of the region
//     31        open
//     30 …  0   threads inside
static const uint64_t OPEN = UINT64_C(1) << 31;
static const uint64_t INSIDE = OPEN - 1;
static const uint64_t EPOCH = UINT64_C(1) << 32;

typedef struct worker {
    // Items `next` ..< `end` have not been taken yet. `end` is written under the same rule as the pool's fields below.
    _Alignas(64) _Atomic int next;
    int end;
    _Alignas(64) struct pool *pool;
    pthread_t thread;
    int index;
} worker;

struct pool {
    _Alignas(64) _Atomic uint64_t state;
    // Written by the caller, and only while the region is closed and no thread is inside.
    _Alignas(64) int grain;
    ck_body body;
    void *context;
    _Alignas(64) _Atomic uint32_t wake;
    _Atomic int sleepers;
    atomic_bool stopping;
    _Alignas(64) _Atomic uint32_t done;
    atomic_bool caller_sleeps;
    int workers;
    // Worker 0 is the calling thread.
    worker worker[];
};

static void signal_change(_Atomic uint32_t *word) {
    atomic_fetch_add(word, 1);
    wake_sleepers(word);
}

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work(pool *p, int index) {
    int threads = p->workers + 1;
    for (int i = 0; i < threads; i++) {
        worker *owner = &p->worker[(index + i) % threads];
        while (atomic_load_explicit(&owner->next, memory_order_relaxed) < owner->end) {
            int first = atomic_fetch_add_explicit(&owner->next, p->grain, memory_order_relaxed);
            int end = owner->end - first < p->grain ? owner->end : first + p->grain;
            for (int item = first; item < end; item++) p->body(p->context, item, index);
        }
    }
}

/// Whether there is an open region that this worker has not joined.
static bool has_news(pool *p, uint64_t seen) {
    uint64_t state = atomic_load(&p->state);
    return (state & OPEN) && state / EPOCH != seen;
}

static void sleep_until_news(pool *p, uint64_t seen) {
    uint32_t ticket = atomic_load(&p->wake);
    atomic_fetch_add(&p->sleepers, 1);
    // The publisher writes `state`, then reads `sleepers`; here the order is reversed. So at least one of the two sees
    // the other's write.
    if (!has_news(p, seen) && !atomic_load(&p->stopping)) {
        sleep_on(&p->wake, ticket);
    }
    atomic_fetch_sub(&p->sleepers, 1);
}

/// Leaves the region; the last worker wakes the caller if the region is closed and the caller sleeps.
static void leave(pool *p) {
    uint64_t before = atomic_fetch_sub(&p->state, 1);
    if (!(before & OPEN) && (before & INSIDE) == 1 && atomic_load(&p->caller_sleeps)) signal_change(&p->done);
}

/// Waits until no thread is inside the closed region.
static void wait_for_workers(pool *p) {
    for (int spins = 0; atomic_load(&p->state) & INSIDE;) {
        if (++spins < SPINS) {
            pause_briefly();
            continue;
        }
        uint32_t ticket = atomic_load(&p->done);
        atomic_store(&p->caller_sleeps, true);
        // The last worker writes `state`, then reads `caller_sleeps`; here the order is reversed.
        if (atomic_load(&p->state) & INSIDE) sleep_on(&p->done, ticket);
        atomic_store(&p->caller_sleeps, false);
    }
}

int ck_core_count(void) {
    int usable = usable_cores();
    if (usable > 0) return usable;
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

static void *run_worker(void *argument) {
    worker *me = argument;
    pool *p = me->pool;
    uint64_t seen = 0;
    char name[16];
    snprintf(name, sizeof name, "compute-%d", me->index);
    name_thread(name);
    for (int spins = 0; !atomic_load_explicit(&p->stopping, memory_order_relaxed);) {
        uint64_t state = atomic_load(&p->state);
        if ((state & OPEN) && state / EPOCH != seen) {
            if (atomic_compare_exchange_weak(&p->state, &state, state + 1)) {
                seen = state / EPOCH;
                work(p, me->index);
                leave(p);
                spins = 0;
            }
        } else if (++spins < SPINS) {
            pause_briefly();
        } else {
            sleep_until_news(p, seen);
            spins = 0;
        }
    }
    return NULL;
}

pool *pool_create(int threads) {
    size_t size = sizeof(pool) + (size_t)threads * sizeof(worker);
    pool *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (p == NULL) return NULL;
    *p = (pool){.workers = 0};
    // Workers block all signals, which other threads handle, except faults: those are delivered to the thread that
    // causes them, and a blocked one ends the process even if there is a handler.
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 1; i < threads; i++) {
        worker *w = &p->worker[i];
        *w = (worker){.pool = p, .index = i};
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0) break;
        p->workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->workers != threads - 1) {
        pool_destroy(p);
        return NULL;
    }
    return p;
}

void pool_destroy(pool *p) {
    atomic_store(&p->stopping, true);
    signal_change(&p->wake);
    for (int i = 1; i <= p->workers; i++) pthread_join(p->worker[i].thread, NULL);
    free(p);
}

void pool_for(pool *p, int count, int grain, ck_body body, void *context) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (p->workers == 0 || count <= grain) {
        for (int item = 0; item < count; item++) body(context, item, 0);
        return;
    }
    int threads = p->workers + 1;
    for (int i = 0; i < threads; i++) {
        atomic_store_explicit(&p->worker[i].next, (int)((int64_t)count * i / threads), memory_order_relaxed);
        p->worker[i].end = (int)((int64_t)count * (i + 1) / threads);
    }
    p->grain = grain;
    p->body = body;
    p->context = context;
    uint64_t state = atomic_load_explicit(&p->state, memory_order_relaxed);
    atomic_store(&p->state, ((state / EPOCH + 1) % EPOCH) * EPOCH | OPEN);
    if (atomic_load(&p->sleepers) > 0) signal_change(&p->wake);
    work(p, 0);
    atomic_fetch_and(&p->state, ~OPEN);
    wait_for_workers(p);
}
