/* Spans go along rows, COCO's runs down columns: the mask's pixels are sorted by column, which
 * keeps the rows in order, and then told off in runs. */
#include "report/column_runs.h"

#include "base/memory.h"

#include <stdlib.h>

typedef struct writer {
  char *text;
  size_t used, count; /* bytes, runs */
  int64_t last[2];    /* the two runs before */
} writer;

#define RUN_BYTES 13 /* of a number of 64 bits, five a letter */

static void put_run(writer *w, int64_t run) {
  int64_t value = w->count > 2 ? run - w->last[0] : run;
  for (int more = 1; more;) {
    int64_t bits = value & 31;
    value = (value - bits) / 32;
    more = bits & 16 ? value != -1 : value != 0;
    w->text[w->used++] = (char)(48 + (bits | (more ? 32 : 0)));
  }
  w->last[0] = w->last[1];
  w->last[1] = run;
  w->count++;
}

/* Rows of the mask's pixels, column by column; starts (columns + 1) receives where each begins. */
static void sort_by_column(uint32_t *rows, size_t *starts, const burl_proposal *mask, size_t width,
                           size_t left, size_t columns) {
  for (size_t c = 0; c <= columns; c++)
    starts[c] = 0;
  for (size_t i = 0; i < mask->span_count; i++)
    for (size_t k = mask->spans[i].begin; k < mask->spans[i].end; k++)
      starts[k % width - left + 1]++;
  for (size_t c = 0; c < columns; c++)
    starts[c + 1] += starts[c];
  for (size_t i = 0; i < mask->span_count; i++)
    for (size_t k = mask->spans[i].begin; k < mask->spans[i].end; k++)
      rows[starts[k % width - left]++] = (uint32_t)(k / width);
  for (size_t c = columns; c > 0; c--)
    starts[c] = starts[c - 1];
  starts[0] = 0;
}

static void put_all(writer *w, const uint32_t *rows, const size_t *starts, size_t left,
                    size_t columns, size_t height, size_t width) {
  size_t begin = 0, end = 0; /* of the run of ones, in the order of columns */
  for (size_t c = 0; c < columns; c++)
    for (size_t i = starts[c]; i < starts[c + 1]; i++) {
      size_t at = (left + c) * height + rows[i];
      if (end > 0 && at == end) {
        end++;
        continue;
      }
      if (end > 0) put_run(w, (int64_t)(end - begin));
      put_run(w, (int64_t)(at - end));
      begin = at;
      end = at + 1;
    }
  put_run(w, (int64_t)(end - begin));
  if (end < height * width) put_run(w, (int64_t)(height * width - end));
}

static size_t count_breaks(const uint32_t *rows, const size_t *starts, size_t columns) {
  size_t breaks = columns;
  for (size_t c = 0; c < columns; c++)
    for (size_t i = starts[c] + 1; i < starts[c + 1]; i++)
      breaks += rows[i] != rows[i - 1] + 1;
  return breaks;
}

burl_status burl_column_runs(char **text, const burl_proposal *mask, size_t height, size_t width) {
  size_t left = (size_t)mask->box.x0, columns = (size_t)mask->box.x1 - left;
  writer w = {0};
  uint32_t *rows = burl_alloc(mask->area, sizeof *rows);
  size_t *starts = burl_alloc(columns + 1, sizeof *starts);
  if (rows && starts) {
    sort_by_column(rows, starts, mask, width, left, columns);
    w.text = burl_alloc(2 * count_breaks(rows, starts, columns) + 3, RUN_BYTES);
  }
  if (w.text) {
    put_all(&w, rows, starts, left, columns, height, width);
    w.text[w.used] = '\0';
    *text = w.text;
  }
  free(rows);
  free(starts);
  return w.text ? BURL_OK : BURL_ERR_MEMORY;
}
