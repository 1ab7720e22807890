#pragma once
// Starting and watching child processes: what must happen between fork and exec can only be written in C.
#include <sys/types.h>

/// How to start a program. Every string and array is only read during the call.
struct cl_spawn_request {
  /// Absolute or relative path of the executable; no search in PATH.
  const char *path;
  /// NULL-terminated.
  char *const *arguments;
  /// NULL-terminated "NAME=value" strings: the whole environment.
  char *const *environment;
  /// NULL: the caller's.
  const char *directory;
  /// Descriptors that become 0, 1 and 2; every other one is closed.
  int input;
  int output;
  int error;
  /// Nonzero: the kernel kills the program (SIGKILL) when the calling *thread* ends, so call from a thread that lives as
  /// long as the child may.
  int dies_with_caller;
};

/// Which step failed; meaningful when cl_spawn returns a negative value.
enum cl_spawn_step { CL_SPAWN_FORK = 0, CL_SPAWN_DIRECTORY = 1, CL_SPAWN_EXEC = 2 };

/// Starts a program as leader of its own session and process group. Returns the process id, or -errno with the failed step
/// in *step. Blocks until the program is executing.
pid_t cl_spawn(const struct cl_spawn_request *request, enum cl_spawn_step *step);

/// pidfd_open(2): a descriptor that becomes readable when the process ends. -errno on failure.
int cl_pidfd_open(pid_t pid);

/// waitpid(2) without blocking. Returns 1 when the process has ended, 0 while it runs, -errno on failure. *code is the exit
/// code, or 0; *signal the signal that ended it, or 0.
int cl_reap(pid_t pid, int *code, int *signal);

/// From now on each of the signals, whatever thread it comes to, is written as one byte into a pipe instead of ending the
/// process. Returns the pipe's reading end, -errno on failure. Call once per signal.
int cl_catch_signals(const int *numbers, int count);

/// A pipe, closed on exec; the reading end does not block. -errno on failure.
int cl_pipe(int *reading, int *writing);
