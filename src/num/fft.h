/* num/fft.h: discrete Fourier transforms of real images.
 *
 *   X(k,l) = sum_{i,j} x(i,j) exp(-2 pi i (k i/rows + l j/cols)),   l = 0..cols/2
 *
 * The columns that are left out are the conjugates of those given. Through kissfft (float).
 */
#ifndef BURL_NUM_FFT_H
#define BURL_NUM_FFT_H

#include <burl/base.h>

#define BURL_FFT_MAX_SIDE 8192

typedef struct burl_complex {
  float re, im;
} burl_complex;

/* A plan carries its own scratch: one for each thread. */
typedef struct burl_fft burl_fft;

/* The least even n' >= n whose prime factors are 2, 3 and 5; 0 where it would exceed
 * BURL_FFT_MAX_SIDE. */
size_t burl_fft_good_size(size_t n);

/* For images of rows x cols. Errors: BURL_ERR_ARGUMENT (a side is 0, above BURL_FFT_MAX_SIDE or has
 * a prime factor above 5; cols is odd), BURL_ERR_MEMORY. *fft is unchanged on error. */
burl_status burl_fft_new(burl_fft **fft, size_t rows, size_t cols) BURL_MUST_CHECK;
void burl_fft_free(burl_fft *fft);

/* out (rows, cols/2 + 1) from in (rows, cols). Nothing is allocated. */
void burl_fft_forward(burl_fft *fft, burl_complex *out, const float *in);

/* The inverse with its factor 1/(rows cols): out (rows, cols) from in (rows, cols/2 + 1), which is
 * overwritten. */
void burl_fft_inverse(burl_fft *fft, float *out, burl_complex *in);

#endif
