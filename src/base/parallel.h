/* base/parallel.h: independent tasks spread over threads.
 *
 * POSIX threads rather than OpenMP: tasks may call single-threaded BLAS, fail with a status, and be
 * watched by ThreadSanitizer, and the library needs no runtime of its own.
 */
#ifndef BURL_BASE_PARALLEL_H
#define BURL_BASE_PARALLEL_H

#include <burl/base.h>
#include <pthread.h>
#include <stdatomic.h>

/* Task `index` on worker `worker` (0..threads-1: choose scratch memory by it, never results). */
typedef burl_status (*burl_task)(void *context, size_t index, int worker);

/* Runs task 0..count-1, each once, at most `threads` at a time (threads >= 1). Returns the status
 * of the failed task with the lowest index, or BURL_OK; after a failure no new tasks are started.
 * Above 256 threads are taken as 256; where threads cannot be made the ones that there are do the
 * work. Errors of its own: BURL_ERR_ARGUMENT (threads < 1), BURL_ERR_MEMORY. */
burl_status burl_parallel(size_t count, int threads, burl_task task, void *context) BURL_MUST_CHECK;

/* A team: threads kept for many short runs, such as the sweeps of one solve, where starting threads
 * for each would take longer than the work. It lies where the caller puts it and allocates nothing.
 *   burl_team team;
 *   burl_team_open(&team, threads);
 *   ... burl_team_run(&team, work, &context) ...
 *   burl_team_close(&team);                                                      */
#define BURL_TEAM_MOST 64

/* What every member does once a run; each knows its part from its number, 0..members-1. */
typedef void (*burl_team_work)(void *context, int member, int members);

typedef struct burl_team burl_team;

typedef struct burl_team_member {
  burl_team *team;
  pthread_t thread;
  int number;
} burl_team_member;

struct burl_team {
  int members; /* with the calling thread, which is member 0 */
  pthread_mutex_t lock;
  pthread_cond_t begun, done;
  atomic_uint run;     /* counts runs */
  atomic_int working;  /* members that are not done yet */
  burl_team_work work; /* NULL: time to go */
  void *context;
  burl_team_member member[BURL_TEAM_MOST];
};

/* At most `threads` members and BURL_TEAM_MOST; where threads cannot be made, those there are. */
void burl_team_open(burl_team *team, int threads);
/* Returns when all members have returned. From one thread at a time. */
void burl_team_run(burl_team *team, burl_team_work work, void *context);
void burl_team_close(burl_team *team);

#endif
