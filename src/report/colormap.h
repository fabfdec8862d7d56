/* report/colormap.h: the one colour scale of heat. */
#ifndef BURL_REPORT_COLORMAP_H
#define BURL_REPORT_COLORMAP_H

#include <stdint.h>

#define BURL_COLORMAP_SIZE 256

typedef struct burl_colormap {
  uint8_t rgb[BURL_COLORMAP_SIZE][3]; /* sRGB, from dark violet-blue to bright yellow */
} burl_colormap;

void burl_colormap_fill(burl_colormap *map);

#endif
