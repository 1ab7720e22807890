// Tells ThreadSanitizer about Swift's Mutex, where two threads meet at one: that path lies in libswiftSynchronization, which
// is not built for ThreadSanitizer, so that what a mutex protects would be reported as a race. Preloaded by `hack/test
// --sanitize=thread`; each function calls the library's own.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

// The library's names: Synchronization._MutexHandle._lockSlow(UInt32), ._tryLockSlow() and ._unlockSlow().
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Of ThreadSanitizer's run time, in the program; absent in the programs that start it.
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

SWIFT void pilotlight_lock(uint32_t thread, SELF void *mutex) __asm__(LOCK);
SWIFT void pilotlight_lock(uint32_t thread, SELF void *mutex) {
  SWIFT void (*lock)(uint32_t, SELF void *) = (SWIFT void (*)(uint32_t, SELF void *))dlsym(RTLD_NEXT, LOCK);
  lock(thread, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT bool pilotlight_try_lock(SELF void *mutex) __asm__(TRY_LOCK);
SWIFT bool pilotlight_try_lock(SELF void *mutex) {
  SWIFT bool (*try_lock)(SELF void *) = (SWIFT bool (*)(SELF void *))dlsym(RTLD_NEXT, TRY_LOCK);
  bool locked = try_lock(mutex);
  if (locked && __tsan_acquire) __tsan_acquire(mutex);
  return locked;
}

SWIFT void pilotlight_unlock(SELF void *mutex) __asm__(UNLOCK);
SWIFT void pilotlight_unlock(SELF void *mutex) {
  SWIFT void (*unlock)(SELF void *) = (SWIFT void (*)(SELF void *))dlsym(RTLD_NEXT, UNLOCK);
  if (__tsan_release) __tsan_release(mutex);
  unlock(mutex);
}
