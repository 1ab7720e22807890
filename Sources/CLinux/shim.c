#define _GNU_SOURCE
#include "CLinux.h"

#include <sys/syscall.h>
#include <unistd.h>

int cl_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  return accept4(fd, address, length, flags);
}

// The id never changes within a thread: one system call per thread is enough.
int cl_thread_id(void) {
  static __thread int id = 0;
  if (id == 0) id = (int)syscall(SYS_gettid);
  return id;
}

int cl_errno(void) { return errno; }
