/* burl_parallel: every task once, failures the same for any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

typedef struct tally {
  atomic_int *runs;     /* of each task */
  atomic_int busy[512]; /* by worker */
  atomic_int started, now, most;
  int threads;
  size_t fails_from, fails_every; /* task i fails with a status of its own; every 0: none does */
} tally;

static burl_status status_of(size_t index) {
  return index % 2 ? BURL_ERR_DATA : BURL_ERR_IO;
}

/* Counts itself; wrong workers show as a task that ran a thousand times. */
static burl_status count_task(void *context, size_t index, int worker) {
  tally *t = context;
  int now = atomic_fetch_add(&t->now, 1) + 1, most = atomic_load(&t->most);
  while (now > most && !atomic_compare_exchange_weak(&t->most, &most, now))
    continue;
  int valid = worker >= 0 && worker < t->threads;
  if (valid && atomic_fetch_add(&t->busy[worker], 1) != 0) valid = 0; /* two tasks, one worker */
  atomic_fetch_add(&t->runs[index], valid ? 1 : 1000);
  atomic_fetch_add(&t->started, 1);
  if (valid) atomic_fetch_sub(&t->busy[worker], 1);
  atomic_fetch_sub(&t->now, 1);
  if (t->fails_every && index >= t->fails_from && (index - t->fails_from) % t->fails_every == 0)
    return status_of(index);
  return BURL_OK;
}

static void run_all(size_t count, int threads) {
  tally t = {.threads = threads};
  t.runs = calloc(count + 1, sizeof *t.runs);
  assert_non_null(t.runs);
  assert_int_equal(burl_parallel(count, threads, count_task, &t), BURL_OK);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(t.runs[i], 1);
  assert_int_equal(t.runs[count], 0);
  assert_int_equal(t.started, count);
  assert_true(t.most <= threads && (size_t)t.most <= count);
  free(t.runs);
}

static void test_every_task_once(void **state) {
  (void)state;
  static const size_t counts[] = {0, 1, 2, 3, 7, 1000};
  static const int threads[] = {1, 2, 3, 8, 64, 256, 500};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    for (size_t j = 0; j < sizeof threads / sizeof threads[0]; j++)
      run_all(counts[i], threads[j]);
}

/* The failed task with the lowest index is reported, and hardly any task is begun after it. */
static void test_lowest_failure(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 8, 32};
  enum { COUNT = 2000 };
  atomic_int runs[COUNT];
  for (size_t j = 0; j < sizeof threads / sizeof threads[0]; j++)
    for (size_t from = 0; from < 40; from++) {
      tally t = {.runs = runs, .threads = threads[j], .fails_from = from, .fails_every = 1};
      for (size_t i = 0; i < COUNT; i++)
        atomic_init(&runs[i], 0);
      assert_int_equal(burl_parallel(COUNT, threads[j], count_task, &t), status_of(from));
      for (size_t i = 0; i <= from; i++)
        assert_int_equal(runs[i], 1);
      assert_true((size_t)t.started <= from + (size_t)threads[j]);
    }
}

/* Task 0 fails only after task 1 has: the status of task 0 must win although it comes later. */
typedef struct late {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int failed;
} late;

static burl_status fail_late(void *context, size_t index, int worker) {
  late *l = context;
  (void)worker;
  pthread_mutex_lock(&l->lock);
  if (index == 1) {
    l->failed = 1;
    pthread_cond_broadcast(&l->changed);
  }
  while (index == 0 && !l->failed)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  return index == 0 ? BURL_ERR_NUMERIC : BURL_ERR_SIZE;
}

static void test_lowest_failure_comes_late(void **state) {
  (void)state;
  for (int i = 0; i < 50; i++) {
    late l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    assert_int_equal(burl_parallel(2, 2, fail_late, &l), BURL_ERR_NUMERIC);
  }
}

/* Two tasks that wait for each other end only if they run at the same time. */
static burl_status meet(void *context, size_t index, int worker) {
  late *l = context;
  (void)index;
  (void)worker;
  pthread_mutex_lock(&l->lock);
  l->failed++;
  pthread_cond_broadcast(&l->changed);
  while (l->failed < 2)
    pthread_cond_wait(&l->changed, &l->lock);
  pthread_mutex_unlock(&l->lock);
  return BURL_OK;
}

static void test_tasks_overlap(void **state) {
  (void)state;
  late l = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  assert_int_equal(burl_parallel(2, 2, meet, &l), BURL_OK);
  assert_int_equal(l.failed, 2);
}

static burl_status nested(void *context, size_t index, int worker) {
  (void)index;
  (void)worker;
  return burl_parallel(10, 2, count_task, context);
}

static void test_nested(void **state) {
  (void)state;
  atomic_int runs[10] = {0};
  tally t = {.runs = runs,
             .threads = 0}; /* no worker is valid: workers of different calls coincide */
  assert_int_equal(burl_parallel(8, 4, nested, &t), BURL_OK);
  for (int i = 0; i < 10; i++)
    assert_int_equal(runs[i], 8000);
}

static void test_bad_threads(void **state) {
  (void)state;
  atomic_int runs[1000] = {0};
  tally t = {.runs = runs, .threads = 1};
  assert_int_equal(burl_parallel(1000, 0, count_task, &t), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_parallel(1000, -1, count_task, &t), BURL_ERR_ARGUMENT);
  assert_int_equal(t.started, 0);
}

typedef struct roll {
  int times[BURL_TEAM_MOST], members, wrong;
  double *sums; /* one a member, read by the caller between runs */
} roll;

static void call(void *context, int member, int members) {
  roll *r = context;
  r->times[member]++;
  if (member == 0) r->members = members;
  if (members < 1 || member >= members) r->wrong = 1;
  r->sums[member] += member + 1.0;
}

/* Every member once a run, and what it wrote is there when the run is over. */
static void test_team_runs(void **state) {
  (void)state;
  static const int threads[] = {-1, 0, 1, 2, 3, 7, 1000};
  for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
    double sums[BURL_TEAM_MOST] = {0};
    roll r = {.sums = sums};
    burl_team team;
    burl_team_open(&team, threads[k]);
    for (int run = 1; run <= 200; run++) {
      burl_team_run(&team, call, &r);
      for (int i = 0; i < BURL_TEAM_MOST; i++) {
        assert_int_equal(r.times[i], i < r.members ? run : 0);
        assert_true(sums[i] == (i < r.members ? run * (i + 1.0) : 0.0));
      }
    }
    assert_true(r.members >= 1 && r.members <= (threads[k] > 1 ? threads[k] : 1) && !r.wrong);
    burl_team_close(&team);
    burl_team_run(&team, call, &r); /* closed: the caller alone */
    assert_int_equal(r.members, 1);
  }
}

/* Members that fell asleep between runs wake up, and the caller waits for slow ones. */
static void nap(void *context, int member, int members) {
  (void)members;
  if (member > 0) nanosleep(&(struct timespec){0, 3000000}, NULL);
  ((atomic_int *)context)[0]++;
}

static void test_team_sleeps_and_wakes(void **state) {
  (void)state;
  atomic_int count = 0;
  burl_team team;
  burl_team_open(&team, 3);
  for (int run = 1; run <= 5; run++) {
    burl_team_run(&team, nap, &count);
    assert_int_equal(count, run * team.members);
    nanosleep(&(struct timespec){0, 3000000}, NULL);
  }
  burl_team_close(&team);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_task_once),
      cmocka_unit_test(test_lowest_failure),
      cmocka_unit_test(test_lowest_failure_comes_late),
      cmocka_unit_test(test_tasks_overlap),
      cmocka_unit_test(test_nested),
      cmocka_unit_test(test_bad_threads),
      cmocka_unit_test(test_team_runs),
      cmocka_unit_test(test_team_sleeps_and_wakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
