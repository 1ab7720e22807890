#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Written by the child, read by the parent: after vfork both share memory until the child executes the program.
struct outcome {
  volatile int error;
  volatile enum cl_spawn_step step;
};

static void close_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
  long last = sysconf(_SC_OPEN_MAX);
  if (last < 0 || last > 65536) last = 65536;
  for (int fd = first; fd < last; fd++) close(fd);
}

// Moves a descriptor above the standard ones, so that no dup2 below overwrites one that is still needed.
static int above_standard(int fd) { return fd > 2 ? fd : fcntl(fd, F_DUPFD, 3); }

__attribute__((noreturn)) static void run_child(const struct cl_spawn_request *request, pid_t parent,
                                                struct outcome *outcome) {
  struct sigaction defaults = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) sigaction(number, &defaults, NULL);

  setsid();
  if (request->dies_with_caller) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the line above took effect.
    if (getppid() != parent) _exit(127);
  }

  int input = above_standard(request->input);
  int output = above_standard(request->output);
  int error = above_standard(request->error);
  if (input < 0 || output < 0 || error < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) {
    outcome->error = errno;
    _exit(127);
  }
  close_from(3);

  outcome->step = CL_SPAWN_DIRECTORY;
  if (request->directory && chdir(request->directory) != 0) {
    outcome->error = errno;
    _exit(127);
  }

  outcome->step = CL_SPAWN_EXEC;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(request->path, request->arguments, request->environment);
  outcome->error = errno;
  _exit(127);
}

pid_t cl_spawn(const struct cl_spawn_request *request, enum cl_spawn_step *step) {
  struct outcome outcome = {.error = 0, .step = CL_SPAWN_FORK};
  // No signal may run a handler in the child while it shares the parent's memory.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  pid_t parent = getpid();
  // vfork: a fork would copy the page tables of a large parent, milliseconds that every woken request would wait for.
  pid_t pid = vfork();
  if (pid == 0) run_child(request, parent, &outcome);
  int failure = pid < 0 ? errno : outcome.error;
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  *step = outcome.step;
  if (failure == 0) return pid;
  if (pid > 0) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
  }
  return -failure;
}

int cl_pidfd_open(pid_t pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0U);
  return fd < 0 ? -errno : fd;
}

int cl_reap(pid_t pid, int *code, int *signal) {
  int status = 0;
  pid_t result;
  do {
    result = waitpid(pid, &status, WNOHANG);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  if (result == 0) return 0;
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return 1;
}

int cl_pipe(int *reading, int *writing) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    int failure = errno;
    close(ends[0]);
    close(ends[1]);
    return -failure;
  }
  *reading = ends[0];
  *writing = ends[1];
  return 0;
}

static volatile int caught_signals[NSIG];

static void note_signal(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  // A full pipe already holds more signals than anybody waits for.
  ssize_t ignored = write(caught_signals[number], &byte, 1);
  (void)ignored;
  errno = saved;
}

int cl_catch_signals(const int *numbers, int count) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  // A handler must never wait.
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  for (int index = 0; index < count; index++) caught_signals[numbers[index]] = ends[1];
  struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  for (int index = 0; index < count; index++) {
    if (sigaction(numbers[index], &action, NULL) != 0) return -errno;
  }
  return ends[0];
}
