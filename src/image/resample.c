/* Bringing an image to an exact size with a triangle as wide as what it passes over.
 *
 * Output cell i of n covers pixels [i N/n, (i+1) N/n) of N. With s = N/n, or 1 where the image
 * grows, pixel p weighs max(0, 1 - |p + 1/2 - (i + 1/2) N/n| / s), divided by the sum of the
 * weights of the pixels that there are. Enlarging, that is bilinear interpolation between the
 * middles of pixels; shrinking, every pixel counts. It is the rule of "bilinear with antialiasing"
 * in the usual vision libraries, which networks were trained on, without their rounding to bytes.
 *
 * Nothing is allocated: rows are weighed in blocks of columns on the stack. A row that counts for
 * two rows of output is weighed twice, which is all that a table would save. */
#include "image/resize.h"

#include <math.h>

enum { BLOCK = 128, SEGMENT = 256 };

/* What one cell of output looks at along one axis. */
typedef struct reach {
  double middle, scale, total; /* the total of the weights */
  size_t first, last;          /* pixels [first, last) */
} reach;

static double weight_of(const reach *r, size_t p) {
  double w = 1.0 - fabs((double)p + 0.5 - r->middle) / r->scale;
  return w > 0.0 ? w : 0.0;
}

static reach reach_of(size_t i, size_t cells, size_t pixels) {
  double ratio = (double)pixels / (double)cells;
  reach r = {.middle = ((double)i + 0.5) * ratio, .scale = ratio > 1.0 ? ratio : 1.0};
  double low = floor(r.middle - r.scale), high = ceil(r.middle + r.scale);
  r.first = low > 0.0 ? (size_t)low : 0;
  r.last = high < (double)pixels ? (size_t)high : pixels;
  for (size_t p = r.first; p < r.last; p++)
    r.total += weight_of(&r, p);
  return r;
}

/* The weighed mean of what a cell sees of one row. */
static double weigh_row(const burl_image *image, size_t channel, int grey, size_t y,
                        const reach *across) {
  float segment[SEGMENT];
  double sum = 0.0;
  for (size_t x = across->first; x < across->last; x += SEGMENT) {
    size_t n = across->last - x < SEGMENT ? across->last - x : SEGMENT;
    if (grey)
      burl_image_get_grey(image, segment, n, y, x, 1, n);
    else
      burl_image_get_channel(image, channel, segment, n, y, x, 1, n);
    for (size_t i = 0; i < n; i++)
      sum += weight_of(across, x + i) * (double)segment[i];
  }
  return sum / across->total;
}

static void fill_block(burl_image *to, const burl_image *image, size_t channel, const reach *down,
                       size_t row, size_t col, size_t n) {
  reach across[BLOCK];
  double sum[BLOCK] = {0};
  int grey = to->channels == 1;
  for (size_t j = 0; j < n; j++)
    across[j] = reach_of(col + j, to->width, image->width);
  for (size_t y = down->first; y < down->last; y++) {
    double weight = weight_of(down, y);
    for (size_t j = 0; weight > 0.0 && j < n; j++)
      sum[j] += weight * weigh_row(image, channel, grey, y, &across[j]);
  }
  float *out = (float *)to->data + (row * to->width + col) * to->channels + channel;
  for (size_t j = 0; j < n; j++)
    out[j * to->channels] = (float)(sum[j] / down->total);
}

void burl_image_resize(burl_image *to, const burl_image *image) {
  for (size_t row = 0; row < to->height; row++) {
    reach down = reach_of(row, to->height, image->height);
    for (size_t channel = 0; channel < to->channels; channel++)
      for (size_t col = 0; col < to->width; col += BLOCK) {
        size_t n = to->width - col < BLOCK ? to->width - col : BLOCK;
        fill_block(to, image, image->channels == 3 ? channel : 0, &down, row, col, n);
      }
  }
}
