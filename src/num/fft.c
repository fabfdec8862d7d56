/* Rows by real transforms, then columns by complex ones, through kissfft (BSD licence; FFTW is
 * GPL). Columns are gathered into a scratch row and scattered back: images here are a few hundred
 * samples a side, so both fit into the cache.
 *
 * kissfft allocates nothing in a transform as long as input and output are apart and no prime
 * factor is above 5; other sizes are refused, for it could not tell of a failed allocation. */
#include "num/fft.h"

#include "base/memory.h"

#include <kissfft/kiss_fftr.h>
#include <stdlib.h>

struct burl_fft {
  size_t rows, cols;
  void *memory[4]; /* of the four plans */
  kiss_fftr_cfg row[2];
  kiss_fft_cfg col[2]; /* forward, inverse */
  kiss_fft_cpx *from, *to;
};

/* n without its factors 2, 3 and 5. */
static size_t strip(size_t n) {
  const size_t factor[] = {2, 3, 5};
  for (size_t k = 0; k < 3; k++)
    while (n % factor[k] == 0)
      n /= factor[k];
  return n;
}

static int is_good(size_t n) {
  return n >= 1 && n <= BURL_FFT_MAX_SIDE && strip(n) == 1;
}

size_t burl_fft_good_size(size_t n) {
  if (n > BURL_FFT_MAX_SIDE) return 0;
  if (n < 2) n = 2;
  for (n += n % 2; n <= BURL_FFT_MAX_SIDE; n += 2)
    if (is_good(n)) return n;
  return 0;
}

void burl_fft_free(burl_fft *fft) {
  if (!fft) return;
  for (int i = 0; i < 4; i++)
    free(fft->memory[i]);
  free(fft->from);
  free(fft->to);
  free(fft);
}

/* Plan memory is ours, so that a failed allocation is seen. */
static burl_status plan_rows(burl_fft *fft, int inverse) {
  size_t size = 0;
  kiss_fftr_alloc((int)fft->cols, inverse, NULL, &size);
  fft->memory[inverse] = burl_alloc(size, 1);
  if (!fft->memory[inverse]) return BURL_ERR_MEMORY;
  fft->row[inverse] = kiss_fftr_alloc((int)fft->cols, inverse, fft->memory[inverse], &size);
  return fft->row[inverse] ? BURL_OK : BURL_ERR_MEMORY;
}

static burl_status plan_columns(burl_fft *fft, int inverse) {
  size_t size = 0;
  kiss_fft_alloc((int)fft->rows, inverse, NULL, &size);
  fft->memory[2 + inverse] = burl_alloc(size, 1);
  if (!fft->memory[2 + inverse]) return BURL_ERR_MEMORY;
  fft->col[inverse] = kiss_fft_alloc((int)fft->rows, inverse, fft->memory[2 + inverse], &size);
  return fft->col[inverse] ? BURL_OK : BURL_ERR_MEMORY;
}

burl_status burl_fft_new(burl_fft **fft, size_t rows, size_t cols) {
  if (!is_good(rows) || !is_good(cols) || cols % 2 != 0) return BURL_ERR_ARGUMENT;
  burl_fft *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->rows = rows;
  made->cols = cols;
  made->from = burl_alloc(rows, sizeof *made->from);
  made->to = burl_alloc(rows, sizeof *made->to);
  burl_status status = made->from && made->to ? BURL_OK : BURL_ERR_MEMORY;
  for (int inverse = 0; inverse < 2 && status == BURL_OK; inverse++) {
    status = plan_rows(made, inverse);
    if (status == BURL_OK) status = plan_columns(made, inverse);
  }
  if (status != BURL_OK) {
    burl_fft_free(made);
    return status;
  }
  *fft = made;
  return BURL_OK;
}

static void transform_columns(burl_fft *fft, burl_complex *data, int inverse) {
  size_t n = fft->cols / 2 + 1;
  for (size_t c = 0; c < n; c++) {
    for (size_t r = 0; r < fft->rows; r++)
      fft->from[r] = (kiss_fft_cpx){data[r * n + c].re, data[r * n + c].im};
    kiss_fft(fft->col[inverse], fft->from, fft->to);
    for (size_t r = 0; r < fft->rows; r++)
      data[r * n + c] = (burl_complex){fft->to[r].r, fft->to[r].i};
  }
}

_Static_assert(sizeof(burl_complex) == sizeof(kiss_fft_cpx), "one layout of complex numbers");

void burl_fft_forward(burl_fft *fft, burl_complex *out, const float *in) {
  for (size_t r = 0; r < fft->rows; r++)
    kiss_fftr(fft->row[0], in + r * fft->cols, (kiss_fft_cpx *)(out + r * (fft->cols / 2 + 1)));
  transform_columns(fft, out, 0);
}

void burl_fft_inverse(burl_fft *fft, float *out, burl_complex *in) {
  transform_columns(fft, in, 1);
  float scale = 1.0f / (float)(fft->rows * fft->cols);
  for (size_t r = 0; r < fft->rows; r++)
    kiss_fftri(fft->row[1], (const kiss_fft_cpx *)(in + r * (fft->cols / 2 + 1)),
               out + r * fft->cols);
  for (size_t i = 0; i < fft->rows * fft->cols; i++)
    out[i] *= scale;
}
