#pragma once

/// Where the Swift runtime keeps whoever takes the jobs of its global executor over; holds null while nobody does.
/// (swift_task_enqueueGlobal_hook of the runtime's Concurrency.h.)
void **cs_enqueue_global_hook(void);
