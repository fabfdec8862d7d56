/* Shrinking by area means. An axis of N pixels goes to n <= N cells. On the common grid of N*n
 * points a pixel covers n points and a cell N, so all weights are integers: cell i takes from pixel
 * p the number of points they share. Columns are added up first, then rows, each source row once.
 */
#include "image/resize.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t scale_side(size_t side, size_t max_side, size_t longest) {
  size_t scaled = (side * max_side + longest / 2) / longest;
  return scaled > 0 ? scaled : 1;
}

void burl_image_fit(size_t *small_height, size_t *small_width, size_t height, size_t width,
                    size_t max_side) {
  size_t longest = height > width ? height : width;
  int fits = longest <= max_side;
  *small_height = fits ? height : scale_side(height, max_side, longest);
  *small_width = fits ? width : scale_side(width, max_side, longest);
}

static float clamp(float v) {
  return v > 0.0f ? (v < 1.0f ? v : 1.0f) : 0.0f;
}

/* sums (n cells, `step` apart) += weight * what the cells take from a row of `width` pixels */
static void add_row(double *restrict sums, size_t step, size_t n, const float *restrict row,
                    size_t width, double weight) {
  for (size_t i = 0; i < n; i++) {
    size_t from = i * width, to = from + width; /* the cell on the common grid */
    size_t first = from / n, last = (to - 1) / n;
    double inner = 0.0;
    for (size_t x = first + 1; x < last; x++)
      inner += (double)row[x];
    double sum = inner * (double)n;
    if (first == last)
      sum += (double)row[first] * (double)width;
    else
      sum += (double)row[first] * (double)((first + 1) * n - from) +
             (double)row[last] * (double)(to - last * n);
    sums[i * step] += weight * sum;
  }
}

/* Cells are full: to bytes, and back to zero. `area` is the number of points of a cell. */
static void flush_row(uint8_t *restrict out, double *restrict sums, size_t n, double area) {
  for (size_t i = 0; i < n; i++)
    out[i] = (uint8_t)(sums[i] / area * 255.0 + 0.5);
  memset(sums, 0, n * sizeof *sums);
}

typedef struct shrinker {
  const burl_image *image;
  burl_image small;
  float *row;   /* (width of image) one channel of one row */
  double *sums; /* (width of small, channels) */
} shrinker;

/* Adds row y of the image to the cells of the current row. */
static void take_row(const shrinker *s, size_t y, double weight) {
  const burl_image *image = s->image;
  size_t channels = image->channels == 3 ? s->small.channels : 1;
  for (size_t c = 0; c < channels; c++) {
    if (channels == 1)
      burl_image_get_grey(image, s->row, image->width, y, 0, 1, image->width);
    else
      burl_image_get_channel(image, c, s->row, image->width, y, 0, 1, image->width);
    if (image->sample == BURL_F32)
      for (size_t x = 0; x < image->width; x++)
        s->row[x] = clamp(s->row[x]);
    add_row(s->sums + c, s->small.channels, s->small.width, s->row, image->width, weight);
  }
}

/* Grey cells to all three channels. */
static void spread_grey(double *sums, size_t width) {
  for (size_t i = 0; i < width; i++)
    sums[3 * i + 1] = sums[3 * i + 2] = sums[3 * i];
}

static void shrink_rows(const shrinker *s) {
  size_t H = s->image->height, h = s->small.height, n = s->small.width * s->small.channels;
  double area = (double)H * (double)s->image->width;
  uint8_t *out = s->small.data;
  for (size_t y = 0, cell_end = H; y < H; y++) {
    size_t from = y * h, to = from + h; /* the row on the common grid; it meets at most two cells */
    size_t here = to < cell_end ? to : cell_end;
    take_row(s, y, (double)(here - from));
    if (to < cell_end) continue;
    if (s->small.channels > s->image->channels) spread_grey(s->sums, s->small.width);
    flush_row(out, s->sums, n, area);
    out += n;
    cell_end += H;
    if (to > here) take_row(s, y, (double)(to - here));
  }
}

burl_status burl_image_shrink(burl_image *small, const burl_image *image, size_t channels,
                              size_t max_side) {
  if ((channels != 1 && channels != 3) || max_side == 0) return BURL_ERR_ARGUMENT;
  shrinker s = {.image = image};
  size_t height, width;
  burl_image_fit(&height, &width, image->height, image->width, max_side);
  burl_status status = burl_image_new(&s.small, height, width, channels, BURL_U8);
  if (status != BURL_OK) return status;
  s.row = burl_alloc(image->width, sizeof *s.row);
  s.sums = burl_alloc_zero(width * channels, sizeof *s.sums);
  if (s.row && s.sums) {
    shrink_rows(&s);
    *small = s.small;
  } else {
    burl_image_free(&s.small);
    status = BURL_ERR_MEMORY;
  }
  free(s.row);
  free(s.sums);
  return status;
}
