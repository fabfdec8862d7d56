/* How often intervals hold the truth. Sets of images are drawn again and again from a made-up
 * detector whose figures on endlessly many images are known from a very large set; counted is how
 * often the 95 % interval holds them, and how often two detectors that are equally good get a star.
 * Writes the table of docs/math/intervals.md; exits with 1 where a floor is missed.
 *
 * An image has a background level, a defective one a contrast of its defect, both drawn anew; two
 * detectors see the same images, each with an error of its own. */
#include "base/parallel.h"
#include "base/random.h"

#include <burl/evaluate_evidence.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIDE ((size_t)48)
#define PIXELS (SIDE * SIDE)
#define TRIALS ((size_t)400)
#define POPULATION ((size_t)6000)
#define LEVEL 0.95
#define FLOOR 0.90      /* of a 95 % interval, in sets as small as these */
#define MOST_STARS 0.15 /* of two equals; 5 % would be right */

typedef struct setting {
  const char *name;
  size_t good, defective;
  double contrast, spread; /* of the defects, in deviations of the background */
} setting;

static const setting settings[] = {
    {"20 good, 7 defective, hard", 20, 7, 1.5, 1},
    {"20 good, 7 defective, easy", 20, 7, 3.5, 1},
    {"50 good, 20 defective, hard", 50, 20, 1.5, 1},
    {"50 good, 20 defective, easy", 50, 20, 3.5, 1},
    {"60 good, 60 defective, mixed", 60, 60, 2.5, 1.5},
};
#define SETTINGS (sizeof settings / sizeof *settings)

typedef struct world {
  const setting *set;
  double truth[BURL_MEASURE_COUNT];
  uint8_t held[TRIALS][BURL_MEASURE_COUNT], starred[TRIALS][BURL_MEASURE_COUNT];
  double width[TRIALS][BURL_MEASURE_COUNT];
} world;

static void require(burl_status status) {
  if (status == BURL_OK) return;
  fprintf(stderr, "coverage: %s\n", burl_status_get_text(status));
  exit(1);
}

typedef struct detector {
  burl_evidence *evidence;
  burl_pixel_evaluator *pixels;
  burl_random noise;
} detector;

static void see_image(detector *d, size_t i, int bad, double level, double contrast) {
  static const size_t edge = 8;
  float heat[PIXELS];
  uint8_t mask[PIXELS] = {0};
  char name[32];
  double own = 0.5 * burl_random_normal(&d->noise), seen = contrast + own;
  size_t at = i % (SIDE - edge);
  for (size_t p = 0; p < PIXELS; p++) {
    size_t y = p / SIDE, x = p % SIDE;
    mask[p] = bad && y >= at && y < at + edge && x >= at && x < at + edge;
    heat[p] = (float)(0.4 * level + 0.5 * burl_random_normal(&d->noise) + (mask[p] ? seen : 0));
  }
  snprintf(name, sizeof name, "%zu", i);
  burl_evidence_image image = {.name = name,
                               .label = bad ? "defect" : "good",
                               .score = (float)(level + own + (bad ? contrast : 0)),
                               .defective = bad,
                               .with_truth = 1};
  require(burl_evidence_add(d->evidence, &image));
  require(burl_pixel_evaluator_add(d->pixels, heat, mask, SIDE, SIDE));
}

/* `count` detectors see the same images. */
static void observe(burl_evidence **evidence, int count, const setting *set, size_t good,
                    size_t defective, uint64_t stream) {
  burl_random images = burl_random_start(11, 4 * stream);
  detector d[2];
  for (int k = 0; k < count; k++) {
    require(burl_evidence_new(&d[k].evidence, 2));
    require(burl_pixel_evaluator_new(&d[k].pixels));
    d[k].noise = burl_random_start(11, 4 * stream + 1 + (uint64_t)k);
  }
  for (size_t i = 0; i < good + defective; i++) {
    int bad = i >= good;
    double level = burl_random_normal(&images);
    double contrast = set->contrast + set->spread * burl_random_normal(&images);
    for (int k = 0; k < count; k++)
      see_image(&d[k], i, bad, level, contrast);
  }
  for (int k = 0; k < count; k++) {
    burl_pixel_metrics metrics;
    require(burl_pixel_evaluator_compute(d[k].pixels, &metrics, NULL, 0));
    require(burl_evidence_finish(d[k].evidence, d[k].pixels, &metrics));
    burl_pixel_evaluator_free(d[k].pixels);
    evidence[k] = d[k].evidence;
  }
}

static burl_status try_once(void *context, size_t trial, int worker) {
  (void)worker;
  world *w = context;
  burl_evidence *runs[2];
  burl_interval intervals[BURL_MEASURE_COUNT];
  burl_difference differences[BURL_MEASURE_COUNT];
  burl_comparison all;
  const burl_resampling options = {.level = LEVEL, .replicates = 500, .seed = trial, .threads = 1};
  observe(runs, 2, w->set, w->set->good, w->set->defective, trial + 1);
  require(burl_evidence_intervals(runs[0], intervals, &options));
  require(burl_evidence_compare(runs[0], runs[1], differences, &all, &options, NULL));
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    const burl_interval *d = &differences[i].interval;
    w->held[trial][i] = intervals[i].low <= w->truth[i] && w->truth[i] <= intervals[i].high;
    w->width[trial][i] = intervals[i].high - intervals[i].low;
    w->starred[trial][i] = d->low > 0 || d->high < 0;
  }
  burl_evidence_free(runs[0]);
  burl_evidence_free(runs[1]);
  return BURL_OK;
}

static void find_truth(world *w) {
  size_t all = w->set->good + w->set->defective;
  size_t good = POPULATION * w->set->good / all;
  burl_evidence *run;
  observe(&run, 1, w->set, good, POPULATION - good, 0);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++)
    w->truth[i] = burl_evidence_get_value(run, (burl_measure)i);
  burl_evidence_free(run);
}

static int report(const world *w) {
  int fine = 1;
  printf(
      "\n%s\n\n| measure | truth | holds it | mean width | star of equals "
      "|\n|---|---|---|---|---|\n",
      w->set->name);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    double held = 0, starred = 0, width = 0;
    if (isnan(w->truth[i])) continue;
    for (size_t t = 0; t < TRIALS; t++) {
      held += w->held[t][i] / (double)TRIALS;
      starred += w->starred[t][i] / (double)TRIALS;
      width += w->width[t][i] / (double)TRIALS;
    }
    printf("| %s | %.3f | %.1f %% | %.3f | %.1f %% |\n", burl_measure_get_name((burl_measure)i),
           w->truth[i], 100 * held, width, 100 * starred);
    fine = fine && held >= FLOOR && starred <= MOST_STARS;
  }
  return fine;
}

int main(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  int threads = processors < 1 ? 1 : processors > 64 ? 64 : (int)processors, fine = 1;
  for (size_t s = 0; s < SETTINGS; s++) {
    world *w = calloc(1, sizeof *w);
    if (!w) require(BURL_ERR_MEMORY);
    w->set = &settings[s];
    find_truth(w);
    require(burl_parallel(TRIALS, threads, try_once, w));
    fine &= report(w);
    fflush(stdout);
    free(w);
  }
  if (!fine) fprintf(stderr, "coverage: an interval holds the truth too rarely\n");
  return !fine;
}
