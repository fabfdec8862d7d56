/* Regions are collected image by image. */
#include "cli_eval_regions.h"

#include <stdlib.h>

static burl_status reserve(cli_regions *self, size_t more) {
  size_t room = self->room ? self->room : 64;
  while (room - self->count < more)
    room *= 2;
  if (room == self->room) return BURL_OK;
  burl_report_region *rows = realloc(self->rows, room * sizeof *rows);
  if (!rows) return BURL_ERR_MEMORY;
  self->rows = rows;
  self->room = room;
  return BURL_OK;
}

burl_status burl_cli_regions_add(cli_regions *self, const burl_item *item, const float *heat,
                                 const uint8_t *mask, size_t height, size_t width,
                                 double threshold) {
  burl_region *regions = NULL;
  size_t count = 0;
  burl_status status = burl_regions_measure(&regions, &count, heat, mask, height, width, threshold);
  if (status == BURL_OK) status = reserve(self, count);
  for (size_t i = 0; status == BURL_OK && i < count; i++)
    self->rows[self->count++] = (burl_report_region){
        .name = item->name, .label = item->label, .number = i + 1, .region = regions[i]};
  free(regions);
  return status;
}

void burl_cli_regions_free(cli_regions *self) {
  free(self->rows);
  *self = (cli_regions){0};
}
