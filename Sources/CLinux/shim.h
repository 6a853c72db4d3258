// What Glibc's Swift module lacks: epoll, eventfd and the kernel's name of a thread.
// _GNU_SOURCE must not be defined here: fd_set would then clash with Dispatch's module.
#ifndef PENSIEVE_CLINUX_H
#define PENSIEVE_CLINUX_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/// Names the calling thread as the kernel shows it in /proc (15 bytes at most).
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
