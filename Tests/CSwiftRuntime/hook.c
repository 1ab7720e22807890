#include "CSwiftRuntime.h"

// Looked up by the linker: a runtime that is linked in exports no names for dlsym.
extern void *swift_task_enqueueGlobal_hook;

void **cs_enqueue_global_hook(void) { return &swift_task_enqueueGlobal_hook; }
