/* cli_eval_regions.h: the regions of all masks that burl eval met. */
#ifndef BURL_CLI_EVAL_REGIONS_H
#define BURL_CLI_EVAL_REGIONS_H

#include <burl/dataset.h>
#include <burl/report.h>

typedef struct cli_regions {
  burl_report_region *rows; /* names are borrowed from the data set */
  size_t count, room;
} cli_regions;

/* Measures the regions of an image's mask and adds them. */
burl_status burl_cli_regions_add(cli_regions *self, const burl_item *item, const float *heat,
                                 const uint8_t *mask, size_t height, size_t width,
                                 double threshold);
void burl_cli_regions_free(cli_regions *self);

#endif
