/* Scoring a data set: runs of small images are spread over threads; a large image comes alone and
 * its tiles are. What is held in memory is one run: bounded by RUN_PIXELS or by the one large
 * image. */
#include "model/model_parts.h"
#include <burl/model_explain.h>

#include "base/diag.h"
#include "base/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUN = 16 };                     /* images a run, at most */
#define RUN_PIXELS ((size_t)16 << 20)  /* pixels a run, unless one image has more */
#define SMALL_PIXELS ((size_t)2 << 20) /* larger images come alone */

/* An image on its way through a run. */
typedef struct passenger {
  size_t index;
  burl_image image;
  float *heat;
  unsigned char *kinds; /* NULL where the model has no heads */
  double score;
  burl_kind kind;
  burl_explanation *explained; /* (members of the sink), NULL where none is asked for */
  double seconds[3];           /* reading, scoring, writing */
  burl_diag diag;
} passenger;

typedef struct run {
  const burl_dataset *dataset;
  const burl_score_sink *sink;
  burl_scorer *scorer; /* one worker an image, or all for a large one */
  passenger passengers[RUN];
} run;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static burl_scored view_of(const run *r, const passenger *p) {
  return (burl_scored){.index = p->index,
                       .item = burl_dataset_get_item(r->dataset, p->index),
                       .image = &p->image,
                       .heat = p->heat,
                       .kinds = p->kinds,
                       .score = p->score,
                       .kind = p->kind,
                       .explained = p->explained};
}

/* The members that the sink asks for. What is there is freed by clear. */
static burl_status explain(run *r, passenger *p, int first, int threads) {
  size_t count = r->sink->member_count;
  if (count == 0) return BURL_OK;
  p->explained = burl_alloc_zero(count, sizeof *p->explained);
  burl_status status = p->explained ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; i < count && status == BURL_OK; i++)
    status = burl_explanation_new(&p->explained[i], r->scorer->model, r->sink->members[i],
                                  p->image.height, p->image.width);
  if (status != BURL_OK)
    return burl_fail(&p->diag, status, NULL, NULL, "%s", burl_status_get_text(status));
  return burl_scorer_explain_by(r->scorer, first, threads, p->explained, count, &p->image,
                                &p->diag);
}

/* The kind of the hottest pixel. */
static burl_kind kind_of(const passenger *p) {
  size_t n = p->image.height * p->image.width, hottest = 0;
  if (!p->kinds) return BURL_KIND_NONE;
  for (size_t i = 1; i < n; i++)
    if (p->heat[i] > p->heat[hottest]) hottest = i;
  return (burl_kind)p->kinds[hottest];
}

/* Reads, scores and writes one image; what goes wrong stays with it. */
static void carry(run *r, passenger *p, int first, int threads) {
  const burl_item *item = burl_dataset_get_item(r->dataset, p->index);
  double start = now();
  burl_status status = burl_image_load(&p->image, item->path, &p->diag);
  double read = now();
  p->seconds[0] = read - start;
  if (status == BURL_OK) {
    size_t pixels = p->image.height * p->image.width;
    p->heat = burl_alloc(pixels, sizeof *p->heat);
    int heads = r->scorer->model->heads.count > 0;
    p->kinds = heads ? burl_alloc(pixels, 1) : NULL;
    if (p->heat && (p->kinds || !heads))
      status = burl_scorer_score_by(r->scorer, first, threads, p->heat, p->kinds, &p->score,
                                    &p->image, &p->diag);
    else
      status = burl_fail_memory(&p->diag, item->path);
    if (status == BURL_OK) p->kind = kind_of(p);
    if (status == BURL_OK) status = explain(r, p, first, threads);
    if (!p->diag.path[0]) snprintf(p->diag.path, sizeof p->diag.path, "%s", item->path);
  }
  double scored = now();
  p->seconds[1] = scored - read;
  if (status == BURL_OK && r->sink->write) {
    burl_scored scored_image = view_of(r, p);
    status = r->sink->write(r->sink->context, &scored_image, &p->diag);
  }
  p->seconds[2] = now() - scored;
  p->diag.status = status;
}

static burl_status carry_task(void *context, size_t index, int worker) {
  run *r = context;
  carry(r, &r->passengers[index], worker, 1);
  return BURL_OK;
}

static void clear(passenger *p, size_t explained) {
  burl_image_free(&p->image);
  for (size_t i = 0; p->explained && i < explained; i++)
    burl_explanation_free(&p->explained[i]);
  free(p->explained);
  free(p->heat);
  free(p->kinds);
  *p = (passenger){0};
}

/* Hands a run over in order and frees it. */
static burl_status deliver(run *r, size_t count, const burl_observer *observer,
                           burl_score_stats *stats, burl_diag *diag) {
  burl_status status = BURL_OK;
  for (size_t i = 0; i < count; i++) {
    passenger *p = &r->passengers[i];
    stats->read_seconds += p->seconds[0];
    stats->score_seconds += p->seconds[1];
    stats->write_seconds += p->seconds[2];
    if (p->diag.status != BURL_OK) {
      stats->failed++;
      burl_observe_problem(observer, &p->diag);
    } else if (status == BURL_OK) {
      double start = now();
      burl_scored scored = view_of(r, p);
      stats->scored++;
      stats->pixels += p->image.height * p->image.width;
      if (r->sink->collect) status = r->sink->collect(r->sink->context, &scored, diag);
      stats->collect_seconds += now() - start;
    }
    clear(p, r->sink->member_count);
  }
  return status;
}

static size_t pixels_of(const burl_item *item) {
  burl_image_info info;
  if (burl_image_probe(&info, item->path, NULL) != BURL_OK) return 0;
  return info.height * info.width;
}

/* Takes items from *next on into a run; returns how many, and whether it is one large image. */
static size_t board(run *r, size_t *next, burl_split split, int *alone) {
  size_t count = 0, total = 0, items = burl_dataset_get_count(r->dataset);
  *alone = 0;
  for (; *next < items && count < RUN && !*alone; ++*next) {
    const burl_item *item = burl_dataset_get_item(r->dataset, *next);
    if (split && item->split != split) continue;
    size_t pixels = pixels_of(item);
    if (count > 0 && (pixels > SMALL_PIXELS || total + pixels > RUN_PIXELS)) break;
    *alone = pixels > SMALL_PIXELS;
    total += pixels;
    r->passengers[count++].index = *next;
  }
  return count;
}

static size_t count_items(const burl_dataset *dataset, burl_split split) {
  size_t n = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++)
    n += !split || burl_dataset_get_item(dataset, i)->split == split;
  return n;
}

static burl_status score_all(run *r, burl_split split, int threads, const burl_observer *observer,
                             burl_score_stats *stats, burl_diag *diag) {
  size_t next = 0, done = 0, total = count_items(r->dataset, split), count;
  int alone;
  burl_status status = BURL_OK;
  while (status == BURL_OK && (count = board(r, &next, split, &alone)) > 0) {
    if (alone)
      carry(r, &r->passengers[0], 0, threads);
    else
      status = burl_parallel(count, threads, carry_task, r);
    if (status == BURL_OK) status = deliver(r, count, observer, stats, diag);
    done += count;
    burl_observe_progress(observer, "scoring", done, total);
  }
  return status;
}

burl_status burl_model_score_dataset(const burl_model *model, const burl_dataset *dataset,
                                     burl_split split, const burl_score_sink *sink, int threads,
                                     const burl_observer *observer, burl_score_stats *stats,
                                     burl_diag *diag) {
  *stats = (burl_score_stats){0};
  if (threads < 1 || threads > 256)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "threads is %d, not between 1 and 256",
                     threads);
  run *r = burl_alloc_zero(1, sizeof *r);
  burl_status status = r ? burl_scorer_new(&r->scorer, model, threads) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    r->dataset = dataset;
    r->sink = sink;
    status = score_all(r, split, threads, observer, stats, diag);
  } else {
    status = burl_fail_memory(diag, NULL);
  }
  if (r) burl_scorer_free(r->scorer);
  free(r);
  return status;
}
