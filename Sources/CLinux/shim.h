// What Glibc's Swift module lacks: epoll and eventfd for HTTPFront's Poller; accept4, malloc_trim, the kernel's name of a
// thread and its priority for Platform.
// _GNU_SOURCE must not be defined here: fd_set would then clash with Dispatch's module.
#ifndef PENSIEVE_CLINUX_H
#define PENSIEVE_CLINUX_H

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/// Names the calling thread as the kernel shows it in /proc (15 bytes at most).
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Makes the calling thread leave the cores to others; Linux keeps a niceness for each thread.
static inline void clinux_lower_priority(int niceness) { setpriority(PRIO_PROCESS, 0, niceness); }

/// Gives free memory in the heap back to the kernel; takes milliseconds.
static inline void clinux_return_free_memory(void) { malloc_trim(0); }

extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

/// Accepts a connection as a non-blocking, close-on-exec socket.
static inline int clinux_accept(int descriptor, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return accept4(descriptor, (struct sockaddr *)address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#endif
