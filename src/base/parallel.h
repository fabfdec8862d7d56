/* base/parallel.h: independent tasks spread over threads.
 *
 * POSIX threads rather than OpenMP: tasks may call single-threaded BLAS, fail with a status, and be
 * watched by ThreadSanitizer, and the library needs no runtime of its own.
 */
#ifndef BURL_BASE_PARALLEL_H
#define BURL_BASE_PARALLEL_H

#include <burl/base.h>

/* Task `index` on worker `worker` (0..threads-1: choose scratch memory by it, never results). */
typedef burl_status (*burl_task)(void *context, size_t index, int worker);

/* Runs task 0..count-1, each once, at most `threads` at a time (threads >= 1). Returns the status
 * of the failed task with the lowest index, or BURL_OK; after a failure no new tasks are started.
 * Above 256 threads are taken as 256; where threads cannot be made the ones that there are do the
 * work. Errors of its own: BURL_ERR_ARGUMENT (threads < 1), BURL_ERR_MEMORY. */
burl_status burl_parallel(size_t count, int threads, burl_task task, void *context) BURL_MUST_CHECK;

#endif
