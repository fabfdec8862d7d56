/* Soft suppression: the best box is taken, the scores of the others fall with what they share with
 * it, and so on. Scores at or below 0 are taken last and do not fall: they would rise. */
#include "detect/overlap.h"
#include "detect/suppress.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static size_t find_best(const float *left, size_t n) {
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < n; i++)
    if (left[i] > -INFINITY && (best == SIZE_MAX || left[i] > left[best])) best = i;
  return best;
}

burl_status burl_suppress_soft(const burl_suppress_task *task, size_t *count) {
  const double sigma = task->options->sigma;
  float *left = burl_copy(task->scores, task->n * sizeof *left);
  if (!left) return BURL_ERR_MEMORY;
  double least = -HUGE_VAL;
  size_t kept = 0;
  while (kept < task->most) {
    size_t best = find_best(left, task->n);
    if (best == SIZE_MAX || (double)left[best] < least) break;
    if (kept == 0 && left[best] > 0) least = task->options->least * (double)left[best];
    task->kept[kept++] = (burl_kept_box){.index = best, .score = left[best]};
    left[best] = -INFINITY;
    for (size_t i = 0; i < task->n; i++) {
      if (!(left[i] > 0)) continue;
      double iou = (double)burl_overlap(&task->boxes[best], &task->boxes[i]);
      if (iou > 0) left[i] = (float)((double)left[i] * exp(-iou * iou / sigma));
    }
  }
  *count = kept;
  free(left);
  return BURL_OK;
}
