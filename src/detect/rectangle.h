/* detect/rectangle.h: the rectangle of least area round a mask. */
#ifndef BURL_DETECT_RECTANGLE_H
#define BURL_DETECT_RECTANGLE_H

#include <burl/detect.h>

typedef struct burl_corner {
  int64_t x, y;
} burl_corner;

/* Corners that burl_rectangle needs as scratch for a mask of so many rows. */
size_t burl_rectangle_corners(size_t rows);

/* The rectangle of least area round the pixels of spans (count >= 1, in scan order) of an image
 * `width` pixels wide; of several the one whose angle is nearest to 0. scratch has room for
 * burl_rectangle_corners(rows of the mask). */
void burl_rectangle(burl_oriented_box *box, const burl_span *spans, size_t count, size_t width,
                    burl_corner *scratch);

#endif
