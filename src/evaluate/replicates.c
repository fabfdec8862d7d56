/* Replicates: blocks of eight, each worth the same whoever makes it. */
#include "evaluate/replicates.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "evaluate/replicate_parts.h"

#include <math.h>
#include <stdlib.h>

#define LANES BURL_SUM_LANES

typedef struct ranked {
  float score;
  size_t index;
} ranked;

static int falling(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  return x->score == y->score ? 0 : x->score < y->score ? 1 : -1;
}

static burl_status rank_images(burl_resampler *r) {
  const burl_drawing *d = r->drawing;
  ranked *sorted = burl_alloc(d->count, sizeof *sorted);
  if (!sorted) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < d->count; i++)
    sorted[i] = (ranked){.score = r->evidence->images[d->image[i]].score, .index = i};
  qsort(sorted, d->count, sizeof *sorted, falling);
  for (size_t i = 0; i < d->count; i++) {
    if (i == 0 || sorted[i].score != sorted[i - 1].score) r->ranks++;
    r->rank[sorted[i].index] = r->ranks - 1;
  }
  free(sorted);
  return BURL_OK;
}

/* Rows come in the order of the images with a truth. */
static burl_status find_rows(burl_resampler *r) {
  const burl_evidence *e = r->evidence;
  size_t *row = burl_alloc(e->count, sizeof *row), rows = 0;
  if (!row) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < e->count; i++)
    row[i] = e->images[i].with_truth ? rows++ : SIZE_MAX;
  for (size_t i = 0; i < r->drawing->count; i++)
    r->row[i] = row[r->drawing->image[i]];
  free(row);
  return BURL_OK;
}

static void take_means(burl_resampler *r) {
  const burl_drawing *d = r->drawing;
  double images = 0;
  for (size_t c = 0; c < d->clusters; c++)
    r->strata[d->stratum[c]]++;
  for (size_t i = 0; i < d->count; i++) {
    int bad = r->evidence->images[d->image[i]].defective;
    r->images_of[bad]++;
    if (r->row[i] == SIZE_MAX) continue;
    const burl_row_totals *t = &r->evidence->totals[r->row[i]];
    if (t->defect == 0) continue;
    images++;
    r->mean_pixels += (double)t->defect;
    r->mean_regions += (double)t->regions;
    r->mean_channels += (double)t->channels;
  }
  r->clusters_of[1] = (double)r->strata[1];
  r->clusters_of[0] = (double)(r->strata[0] > 0 ? r->strata[0] : r->strata[1]);
  double most = images > 0 ? images : 1;
  r->mean_pixels /= most;
  r->mean_regions /= most;
  r->mean_channels /= most;
}

typedef struct making {
  const burl_resampler *resampler;
  burl_replicates *out;
  burl_sums *sums; /* of each worker */
  const double *f1_images, *f1_pixels;
} making;

static burl_status make_block(void *context, size_t block, int worker) {
  making *m = context;
  burl_sums *sums = &m->sums[worker];
  double values[BURL_MEASURE_COUNT];
  size_t first = block * LANES;
  burl_sums_draw(sums, m->resampler, first, 0);
  burl_sums_add(sums, m->resampler);
  for (int lane = 0; lane < LANES && first + (size_t)lane < m->out->count; lane++) {
    burl_sums_optimism(m->out->optimism + 2 * (first + (size_t)lane), sums, m->resampler, lane,
                       m->f1_images, m->f1_pixels);
    for (int variant = 0; variant < BURL_VARIANTS; variant++) {
      burl_sums_measure(values, sums, m->resampler, lane, (burl_variant)variant);
      for (int i = 0; i < BURL_MEASURE_COUNT; i++)
        burl_replicates_of(m->out, (burl_variant)variant, i)[first + (size_t)lane] = values[i];
    }
  }
  return BURL_OK;
}

/* Reserves (take is 0) or takes the arrays of one worker. */
static void lay_out(burl_sums *sums, burl_arena *arena, const burl_resampler *r, int take) {
  const size_t sizes[] = {r->drawing->clusters, r->ranks, r->ranks};
  double **places[] = {&sums->weight, &sums->image_good, &sums->image_defect};
  for (int i = 0; i < 3 + BURL_SUM_KINDS; i++) {
    size_t size = i < 3 ? sizes[i] : r->evidence->bins;
    double **place = i < 3 ? places[i] : &sums->bin[i - 3];
    if (take)
      *place = burl_arena_take(arena, size * LANES, sizeof(double));
    else
      burl_arena_reserve(arena, size * LANES, sizeof(double));
  }
}

static burl_status run(burl_replicates *self, const burl_resampler *r, int threads) {
  size_t blocks = (self->count + LANES - 1) / LANES;
  size_t workers = threads > 256 ? 256 : (size_t)threads;
  workers = workers > blocks ? blocks : workers;
  burl_arena arena = {0};
  burl_sums *sums = burl_alloc_zero(workers, sizeof *sums);
  if (!sums) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < workers; i++)
    lay_out(&sums[i], &arena, r, 0);
  burl_arena_reserve(&arena, r->ranks + 2, sizeof(double));
  burl_arena_reserve(&arena, r->evidence->bins + 2, sizeof(double));
  burl_status status = burl_arena_open(&arena) ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    for (size_t i = 0; i < workers; i++)
      lay_out(&sums[i], &arena, r, 1);
    burl_sums_draw(sums, r, 0, 1);
    burl_sums_add(sums, r);
    burl_sums_measure(self->point, sums, r, 0, BURL_PLAIN);
    double *images = burl_arena_take(&arena, r->ranks + 2, sizeof *images);
    double *pixels = burl_arena_take(&arena, r->evidence->bins + 2, sizeof *pixels);
    burl_sums_f1(images, pixels, sums, r, 0);
    making m = {
        .resampler = r, .out = self, .sums = sums, .f1_images = images, .f1_pixels = pixels};
    status = burl_parallel(blocks, (int)workers, make_block, &m);
  }
  burl_arena_close(&arena);
  free(sums);
  return status;
}

burl_status burl_replicates_make(burl_replicates *self, const burl_evidence *evidence,
                                 const burl_drawing *drawing, size_t count, uint64_t seed,
                                 int threads) {
  burl_resampler r = {.evidence = evidence, .drawing = drawing, .seed = seed};
  burl_replicates made = {.count = count};
  r.rank = burl_alloc(drawing->count, sizeof *r.rank);
  r.row = burl_alloc(drawing->count, sizeof *r.row);
  made.values = burl_alloc(count, BURL_VARIANTS * BURL_MEASURE_COUNT * sizeof(double));
  made.optimism = burl_alloc(count, 2 * sizeof(double));
  burl_status status = r.rank && r.row && made.values && made.optimism ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) status = rank_images(&r);
  if (status == BURL_OK) status = find_rows(&r);
  if (status == BURL_OK) {
    take_means(&r);
    status = run(&made, &r, threads);
  }
  free(r.rank);
  free(r.row);
  if (status == BURL_OK)
    *self = made;
  else
    burl_replicates_free(&made);
  return status;
}

void burl_replicates_free(burl_replicates *self) {
  free(self->values);
  free(self->optimism);
  *self = (burl_replicates){0};
}

double *burl_replicates_of(const burl_replicates *self, burl_variant variant, int measure) {
  return self->values + ((size_t)variant * BURL_MEASURE_COUNT + (size_t)measure) * self->count;
}

size_t burl_replicates_wanted(const burl_resampling *options, size_t images) {
  if (options->replicates > 0) return options->replicates;
  if (images <= 1000) return 1000;
  size_t count = 1000000 / images;
  return count < 400 ? 400 : count;
}
