/* Members wait for a run, and the caller for the members, by looking at a counter for some
 * microseconds, which is what short runs take, and then asleep. */
#include "base/parallel.h"

#define LOOKS 2000

static void relax(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

static void wait_for_run(burl_team *team, unsigned seen) {
  for (int look = 0; look < LOOKS; look++) {
    if (atomic_load(&team->run) != seen) return;
    relax();
  }
  pthread_mutex_lock(&team->lock);
  while (atomic_load(&team->run) == seen)
    pthread_cond_wait(&team->begun, &team->lock);
  pthread_mutex_unlock(&team->lock);
}

static void *serve(void *argument) {
  burl_team_member *self = argument;
  burl_team *team = self->team;
  for (unsigned seen = 0;; seen++) {
    wait_for_run(team, seen);
    if (!team->work) return NULL;
    team->work(team->context, self->number, team->members);
    if (atomic_fetch_sub(&team->working, 1) > 1) continue;
    pthread_mutex_lock(&team->lock);
    pthread_cond_signal(&team->done);
    pthread_mutex_unlock(&team->lock);
  }
}

/* Tells the members that there is something to do. */
static void begin(burl_team *team, burl_team_work work, void *context) {
  team->work = work;
  team->context = context;
  atomic_store(&team->working, team->members - 1);
  pthread_mutex_lock(&team->lock);
  atomic_fetch_add(&team->run, 1);
  pthread_cond_broadcast(&team->begun);
  pthread_mutex_unlock(&team->lock);
}

static int make_locks(burl_team *team) {
  if (pthread_mutex_init(&team->lock, NULL)) return 0;
  if (pthread_cond_init(&team->begun, NULL)) {
    pthread_mutex_destroy(&team->lock);
    return 0;
  }
  if (pthread_cond_init(&team->done, NULL) == 0) return 1;
  pthread_cond_destroy(&team->begun);
  pthread_mutex_destroy(&team->lock);
  return 0;
}

static void drop_locks(burl_team *team) {
  pthread_cond_destroy(&team->done);
  pthread_cond_destroy(&team->begun);
  pthread_mutex_destroy(&team->lock);
}

void burl_team_open(burl_team *team, int threads) {
  int wanted = threads < BURL_TEAM_MOST ? threads : BURL_TEAM_MOST;
  atomic_init(&team->run, 0);
  atomic_init(&team->working, 0);
  team->members = 1;
  if (wanted < 2 || !make_locks(team)) return;
  for (int i = 1; i < wanted; i++) {
    team->member[i] = (burl_team_member){.team = team, .number = i};
    if (pthread_create(&team->member[i].thread, NULL, serve, &team->member[i])) break;
    team->members++;
  }
  if (team->members == 1) drop_locks(team);
}

void burl_team_run(burl_team *team, burl_team_work work, void *context) {
  if (team->members > 1) begin(team, work, context);
  work(context, 0, team->members);
  if (team->members == 1) return;
  for (int look = 0; look < LOOKS; look++) {
    if (atomic_load(&team->working) == 0) return;
    relax();
  }
  pthread_mutex_lock(&team->lock);
  while (atomic_load(&team->working) > 0)
    pthread_cond_wait(&team->done, &team->lock);
  pthread_mutex_unlock(&team->lock);
}

void burl_team_close(burl_team *team) {
  if (team->members < 2) return;
  begin(team, NULL, NULL);
  for (int i = 1; i < team->members; i++)
    pthread_join(team->member[i].thread, NULL);
  drop_locks(team);
  team->members = 1;
}
