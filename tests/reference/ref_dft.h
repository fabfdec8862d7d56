/* reference/ref_dft.h: the discrete Fourier transform as it is written down. */
#ifndef REF_DFT_H
#define REF_DFT_H

#include <stddef.h>

/* re, im (rows, cols) of in (rows, cols): sum in exp(-2 pi i (k i/rows + l j/cols)). */
void ref_dft(double *re, double *im, const float *in, size_t rows, size_t cols);

#endif
