#pragma once
// What Glibc's Swift module leaves out. _GNU_SOURCE must not be defined here: it changes struct fd_set between this
// module and SwiftGlibc, and debug builds fail; the .c file defines it.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

#include "CLinuxProcess.h"

/// accept4(2): flags are SOCK_NONBLOCK and SOCK_CLOEXEC.
int cl_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

/// The kernel's id of the calling thread. Safe to ask across `await`, unlike pthread_self(), which the compiler caches.
int cl_thread_id(void);

/// errno of the calling thread. Safe to ask across `await`, unlike errno itself, whose address the compiler caches.
int cl_errno(void);

/// send(2) with MSG_NOSIGNAL; the result, or -errno.
ssize_t cl_send(int fd, const void *bytes, size_t count);

/// Sends two pieces with one sendmsg(2) and MSG_NOSIGNAL; the result, or -errno.
ssize_t cl_send2(int fd, const void *first, size_t first_count, const void *second, size_t second_count);

/// recv(2); the result, or -errno.
ssize_t cl_recv(int fd, void *bytes, size_t count);

/// Drops every packet that comes for a socket from now on (SO_ATTACH_FILTER, socket(7)).
void cl_drop_incoming(int fd);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t cl_monotonic(void);

/// Blocks SIGPIPE for the calling thread, which OpenSSL's writes to a closed socket would raise.
void cl_block_sigpipe(void);

/// Names the calling thread; only the first 15 bytes are kept.
void cl_name_thread(const char *name);
