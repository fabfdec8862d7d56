/* A counter under a mutex hands out task numbers; the calling thread is worker 0. */
#include "base/parallel.h"

#include <pthread.h>

#define MAX_THREADS 256

typedef struct pool {
  pthread_mutex_t lock;
  burl_task task;
  void *context;
  size_t next, count, failed_index;
  burl_status status;
} pool;

typedef struct worker {
  pool *shared;
  pthread_t thread;
  int number;
} worker;

static void *work(void *argument) {
  worker *self = argument;
  pool *shared = self->shared;
  for (;;) {
    pthread_mutex_lock(&shared->lock);
    size_t index = shared->status == BURL_OK ? shared->next : shared->count;
    if (index < shared->count) shared->next++;
    pthread_mutex_unlock(&shared->lock);
    if (index >= shared->count) return NULL;
    burl_status status = shared->task(shared->context, index, self->number);
    if (status == BURL_OK) continue;
    pthread_mutex_lock(&shared->lock);
    if (shared->status == BURL_OK || index < shared->failed_index) {
      shared->status = status;
      shared->failed_index = index;
    }
    pthread_mutex_unlock(&shared->lock);
  }
}

burl_status burl_parallel(size_t count, int threads, burl_task task, void *context) {
  pool shared = {.task = task, .context = context, .count = count, .status = BURL_OK};
  worker workers[MAX_THREADS];
  if (threads < 1) return BURL_ERR_ARGUMENT;
  int wanted = threads < MAX_THREADS ? threads : MAX_THREADS;
  if ((size_t)wanted > count) wanted = (int)count;
  if (pthread_mutex_init(&shared.lock, NULL) != 0) return BURL_ERR_MEMORY;
  int started = 1;
  for (; started < wanted; started++) {
    workers[started] = (worker){.shared = &shared, .number = started};
    if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) break;
  }
  workers[0] = (worker){.shared = &shared, .number = 0};
  work(&workers[0]);
  for (int i = 1; i < started; i++)
    pthread_join(workers[i].thread, NULL);
  pthread_mutex_destroy(&shared.lock);
  return shared.status;
}
