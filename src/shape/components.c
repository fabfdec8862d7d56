/* Components by union-find on runs.
 *
 * A run is a longest stretch of mask pixels in one row. Pass one lists the runs in scan order and
 * joins each with the runs of the row above that touch it, corners included. The root of a tree is
 * its smallest run, so numbering the roots in order of runs numbers the components in scan order,
 * whatever the order of the unions. Pass two paints the runs. Work is done per run instead of per
 * pixel: defect masks are mostly empty, and empty stretches are skipped eight bytes at a time.
 */
#include "shape/components.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct run {
  uint32_t begin, end; /* pixel numbers in the image, end excluded */
  uint32_t parent;     /* run number; roots are their own parents */
  uint32_t label;
} run;

/* first i in begin..end-1 with mask[i] != 0, or end */
static size_t find_set(const uint8_t *mask, size_t begin, size_t end) {
  size_t i = begin;
  for (uint64_t word; end - i >= sizeof word; i += sizeof word) {
    memcpy(&word, mask + i, sizeof word);
    if (word != 0) break;
  }
  while (i < end && mask[i] == 0)
    i++;
  return i;
}

/* first i in begin..end-1 with mask[i] == 0, or end */
static size_t find_clear(const uint8_t *mask, size_t begin, size_t end) {
  const uint8_t *clear = memchr(mask + begin, 0, end - begin);
  return clear ? (size_t)(clear - mask) : end;
}

static size_t count_runs(const uint8_t *mask, size_t height, size_t width) {
  size_t count = 0;
  for (size_t row = 0; row < height; row++) {
    size_t end = (row + 1) * width;
    for (size_t i = find_set(mask, row * width, end); i < end; i = find_set(mask, i, end)) {
      i = find_clear(mask, i, end);
      count++;
    }
  }
  return count;
}

static uint32_t find_root(run *runs, uint32_t i) {
  while (runs[i].parent != i) {
    runs[i].parent = runs[runs[i].parent].parent;
    i = runs[i].parent;
  }
  return i;
}

static void join(run *runs, uint32_t a, uint32_t b) {
  uint32_t root_a = find_root(runs, a), root_b = find_root(runs, b);
  if (root_a < root_b)
    runs[root_b].parent = root_a;
  else
    runs[root_a].parent = root_b;
}

/* Joins the runs of one row (first..last-1) with those of the row above (above..first-1): two
 * sorted lists, walked together. Runs touch when, shifted onto one row, they overlap or are side by
 * side. */
static void join_rows(run *runs, uint32_t above, uint32_t first, uint32_t last, size_t width) {
  uint32_t a = above, b = first;
  while (a < first && b < last) {
    size_t a_begin = runs[a].begin + width, a_end = runs[a].end + width;
    if (a_begin <= runs[b].end && runs[b].begin <= a_end) join(runs, a, b);
    if (a_end < runs[b].end)
      a++;
    else
      b++;
  }
}

static void list_runs(run *runs, const uint8_t *mask, size_t height, size_t width) {
  uint32_t above = 0, first = 0, n = 0;
  for (size_t row = 0; row < height; row++) {
    size_t end = (row + 1) * width;
    for (size_t i = find_set(mask, row * width, end); i < end; i = find_set(mask, i, end)) {
      size_t begin = i;
      i = find_clear(mask, i, end);
      runs[n] = (run){.begin = (uint32_t)begin, .end = (uint32_t)i, .parent = n};
      n++;
    }
    join_rows(runs, above, first, n, width);
    above = first;
    first = n;
  }
}

/* Numbers the components and paints them. Roots come before the other runs of their component. */
static uint32_t paint(uint32_t *labels, run *runs, size_t n) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t root = find_root(runs, i);
    if (root == i) runs[i].label = ++count;
    uint32_t label = runs[root].label;
    for (size_t pixel = runs[i].begin; pixel < runs[i].end; pixel++)
      labels[pixel] = label;
  }
  return count;
}

burl_status burl_components(uint32_t *labels, uint32_t *count, const uint8_t *mask, size_t height,
                            size_t width) {
  size_t pixels;
  if (!burl_size_mul(&pixels, height, width) || pixels > UINT32_MAX) return BURL_ERR_SIZE;
  size_t n = pixels ? count_runs(mask, height, width) : 0;
  run *runs = burl_alloc(n, sizeof *runs);
  if (!runs) return BURL_ERR_MEMORY;
  if (n) list_runs(runs, mask, height, width);
  if (pixels) memset(labels, 0, pixels * sizeof *labels);
  *count = paint(labels, runs, n);
  free(runs);
  return BURL_OK;
}
