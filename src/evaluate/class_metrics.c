/* Figures of each defect class: its images against all good ones.
 *
 * The good pixels are sorted already; of each class only its own defect pixels are walked over. */
#include "base/memory.h"
#include "evaluate/evidence_parts.h"
#include "evaluate/pixel_evaluator.h"
#include "evaluate/quantile.h"
#include "evaluate/replicates.h"
#include "evaluate/threshold_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct work {
  const burl_evidence *e;
  burl_pixel_evaluator *pixels; /* may be NULL */
  burl_sorted_scores sorted;    /* the good pixels of all images */
  burl_radix_pair *pairs, *scratch;
  size_t *chosen;
  float *scores;
  uint8_t *labels;
  const burl_resampling *options;
} work;

static int rising(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct labels of the defective images, in byte order; *names is freed by the caller. */
static burl_status find_labels(const char ***names, size_t *count, const burl_evidence *e) {
  const char **all = burl_alloc(e->count, sizeof *all);
  size_t n = 0, kept = 0;
  if (!all) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < e->count; i++)
    if (e->images[i].defective) all[n++] = e->images[i].label;
  qsort(all, n, sizeof *all, rising);
  for (size_t i = 0; i < n; i++)
    if (kept == 0 || strcmp(all[i], all[kept - 1]) != 0) all[kept++] = all[i];
  *names = all;
  *count = kept;
  return BURL_OK;
}

static int belongs(const burl_evidence_image *image, const char *label) {
  return !image->defective || strcmp(image->label, label) == 0;
}

static burl_status measure_images(burl_class_metrics *class, size_t *chosen, work *w) {
  size_t n = 0, found = 0;
  for (size_t i = 0; i < w->e->count; i++) {
    const burl_evidence_image *image = &w->e->images[i];
    if (!belongs(image, class->label)) continue;
    w->scores[n] = image->score;
    w->labels[n] = (uint8_t)image->defective;
    w->chosen[n++] = i;
    class->images += (unsigned)image->defective;
    found += image->defective && (double)image->score >= w->e->threshold;
  }
  burl_ranking ranking;
  burl_status status = burl_evaluate_ranking(&ranking, w->scores, w->labels, n);
  if (status != BURL_OK) return status;
  class->values[BURL_MEASURE_IMAGE_AUROC] = ranking.auroc;
  class->values[BURL_MEASURE_DETECTION] = (double)found / (double)class->images;
  *chosen = n;
  return BURL_OK;
}

static void measure_pixels(burl_class_metrics *class, work *w) {
  const burl_pixel_evaluator *p = w->pixels;
  burl_word_place place = {.block = p->defect.first};
  size_t row = 0, n = 0, regions = 0;
  for (size_t i = 0; i < w->e->count; i++) {
    if (!w->e->images[i].with_truth) continue;
    const burl_pixel_image *image = &p->images[row++];
    int own = w->e->images[i].defective && belongs(&w->e->images[i], class->label);
    for (size_t left = 2 * (size_t)image->defect, got; left > 0; left -= got) {
      const uint32_t *words = burl_words_next(&place, left, &got);
      if (own) memcpy(&w->pairs[n], words, got * sizeof *words);
      n += own ? got / 2 : 0;
    }
    regions += own ? image->regions : 0;
  }
  burl_pixel_metrics metrics;
  w->sorted.defect = burl_radix_sort_pairs(w->pairs, w->scratch, n);
  w->sorted.defect_count = n;
  w->sorted.regions = regions;
  burl_threshold_walk(&metrics, NULL, 0, &w->sorted);
  class->values[BURL_MEASURE_PIXEL_AUROC] = metrics.ranking.auroc;
  class->values[BURL_MEASURE_AUPRO_030] = metrics.aupro_030;
  class->values[BURL_MEASURE_AUPRO_005] = metrics.aupro_005;
}

static burl_status measure_class(burl_class_metrics *class, work *w) {
  burl_clusters clusters = {0};
  burl_replicates replicates = {0};
  size_t n = 0, count = burl_replicates_wanted(w->options, w->e->count);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++)
    class->values[i] = (double)NAN;
  burl_status status = measure_images(class, &n, w);
  if (status == BURL_OK && w->pixels) measure_pixels(class, w);
  if (status == BURL_OK) status = burl_clusters_make(&clusters, w->e, w->chosen, n);
  if (status == BURL_OK)
    status = burl_replicates_make(&replicates, w->e, &clusters.drawing, count, w->options->seed,
                                  w->options->threads);
  for (int i = 0; status == BURL_OK && i < BURL_MEASURE_COUNT; i++)
    class->intervals[i] =
        burl_replicates_interval(&replicates, i, class->values[i], w->options->level);
  burl_replicates_free(&replicates);
  burl_clusters_free(&clusters);
  return status;
}

static burl_status prepare(work *w, burl_arena *arena) {
  size_t pairs = w->pixels ? (size_t)w->pixels->defect_count + 1 : 1;
  for (int i = 0; i < 2; i++)
    burl_arena_reserve(arena, pairs, sizeof *w->pairs);
  burl_arena_reserve(arena, w->e->count, sizeof *w->chosen);
  burl_arena_reserve(arena, w->e->count, sizeof *w->scores);
  burl_arena_reserve(arena, w->e->count, 1);
  if (!burl_arena_open(arena)) return BURL_ERR_MEMORY;
  w->pairs = burl_arena_take(arena, pairs, sizeof *w->pairs);
  w->scratch = burl_arena_take(arena, pairs, sizeof *w->pairs);
  w->chosen = burl_arena_take(arena, w->e->count, sizeof *w->chosen);
  w->scores = burl_arena_take(arena, w->e->count, sizeof *w->scores);
  w->labels = burl_arena_take(arena, w->e->count, 1);
  if (!w->pixels) return BURL_OK;
  burl_status status = burl_pixel_evaluator_sort(w->pixels);
  w->sorted.good = w->pixels->sorted;
  w->sorted.good_count = w->pixels->sorted_count;
  return status;
}

burl_status burl_evidence_classes(const burl_evidence *self, burl_pixel_evaluator *evaluator,
                                  burl_class_metrics **classes, size_t *count,
                                  const burl_resampling *options) {
  if (!(options->level > 0 && options->level < 1) || options->threads < 1 ||
      burl_replicates_wanted(options, self->count) < 100)
    return BURL_ERR_ARGUMENT;
  work w = {.e = self, .pixels = self->row_count > 0 ? evaluator : NULL, .options = options};
  burl_arena arena = {0};
  const char **names = NULL;
  size_t found = 0;
  burl_status status = find_labels(&names, &found, self);
  burl_class_metrics *made = status == BURL_OK ? burl_alloc_zero(found, sizeof *made) : NULL;
  if (status == BURL_OK && !made) status = BURL_ERR_MEMORY;
  if (status == BURL_OK && found > 0) status = prepare(&w, &arena);
  for (size_t i = 0; status == BURL_OK && i < found; i++) {
    made[i].label = names[i];
    status = measure_class(&made[i], &w);
  }
  burl_arena_close(&arena);
  free(names);
  if (status == BURL_OK) {
    *classes = made;
    *count = found;
  } else {
    free(made);
  }
  return status;
}
