/* unit/evidence_case.h: evidence of made-up images. */
#ifndef BURL_UNIT_EVIDENCE_CASE_H
#define BURL_UNIT_EVIDENCE_CASE_H

#include "base/random.h"

#include <burl/evaluate_evidence.h>
#include <math.h>
#include <stdio.h>

#define SIDE 24

static inline void add(burl_evidence *e, const char *group, double score, int defective,
                       int truth) {
  char name[32];
  snprintf(name, sizeof name, "%zu.png", burl_evidence_get_count(e));
  burl_evidence_image image = {.name = name,
                               .label = defective ? "hole" : "good",
                               .group = group,
                               .score = (float)score,
                               .defective = defective,
                               .with_truth = truth};
  assert_int_equal(burl_evidence_add(e, &image), BURL_OK);
}

static inline burl_evidence *evidence(void) {
  burl_evidence *e = NULL;
  assert_int_equal(burl_evidence_new(&e, 1), BURL_OK);
  return e;
}

/* `good` and `defective` images with masks; heat of defects lies `lift` higher. */
static inline burl_evidence *draw(uint64_t seed, int good, int defective, double lift) {
  burl_random random = burl_random_start(seed, 0);
  burl_evidence *e = evidence();
  burl_pixel_evaluator *pixels = NULL;
  burl_pixel_metrics metrics;
  assert_int_equal(burl_pixel_evaluator_new(&pixels), BURL_OK);
  for (int i = 0; i < good + defective; i++) {
    float heat[SIDE * SIDE];
    uint8_t mask[SIDE * SIDE] = {0};
    int bad = i >= good;
    double most = 0, own = lift * (0.5 + burl_random_uniform(&random));
    for (size_t p = 0; p < SIDE * SIDE; p++) {
      mask[p] = bad && p / SIDE < 6 && p % SIDE < 6 && p % 7 < 5;
      heat[p] = (float)(0.3 * burl_random_normal(&random) + (mask[p] ? own : 0));
      most = fmax(most, (double)heat[p]);
    }
    add(e, NULL, most, bad, 1);
    assert_int_equal(burl_pixel_evaluator_add(pixels, heat, mask, SIDE, SIDE), BURL_OK);
  }
  assert_int_equal(burl_pixel_evaluator_compute(pixels, &metrics, NULL, 0), BURL_OK);
  assert_int_equal(burl_evidence_finish(e, pixels, &metrics), BURL_OK);
  burl_pixel_evaluator_free(pixels);
  return e;
}

#endif
