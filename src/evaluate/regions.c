/* The regions of a mask and the heat within them. */
#include <burl/evaluate.h>

#include "base/memory.h"
#include "shape/components.h"

#include <math.h>
#include <stdlib.h>

static void start(burl_region *regions, size_t count, size_t height, size_t width) {
  for (size_t i = 0; i < count; i++)
    regions[i] =
        (burl_region){.top = height, .left = width, .heat_max = -(double)INFINITY, .heat_mean = 0};
}

static void take_pixel(burl_region *region, size_t y, size_t x, double heat, double threshold) {
  region->pixels++;
  region->found += heat >= threshold;
  region->heat_mean += heat;
  region->heat_max = fmax(region->heat_max, heat);
  if (y < region->top) region->top = y;
  if (x < region->left) region->left = x;
  if (y >= region->bottom) region->bottom = y + 1;
  if (x >= region->right) region->right = x + 1;
}

burl_status burl_regions_measure(burl_region **regions, size_t *count, const float *heat,
                                 const uint8_t *mask, size_t height, size_t width,
                                 double threshold) {
  size_t n;
  uint32_t found = 0;
  if (!burl_size_mul(&n, height, width)) return BURL_ERR_SIZE;
  uint32_t *labels = burl_alloc(n, sizeof *labels);
  burl_status status =
      labels ? burl_components(labels, &found, mask, height, width) : BURL_ERR_MEMORY;
  burl_region *made = status == BURL_OK ? burl_alloc(found, sizeof *made) : NULL;
  if (status == BURL_OK && !made) status = BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    start(made, found, height, width);
    for (size_t i = 0; i < n; i++)
      if (labels[i])
        take_pixel(&made[labels[i] - 1], i / width, i % width, (double)heat[i], threshold);
    for (size_t i = 0; i < found; i++)
      made[i].heat_mean /= (double)made[i].pixels;
    *regions = made;
    *count = found;
  }
  free(labels);
  return status;
}
