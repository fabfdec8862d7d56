#include "reference/ref_dft.h"

#include <math.h>

void ref_dft(double *re, double *im, const float *in, size_t rows, size_t cols) {
  const double turn = 2.0 * acos(-1.0);
  for (size_t k = 0; k < rows; k++)
    for (size_t l = 0; l < cols; l++) {
      double a = 0.0, b = 0.0;
      for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
          double part = (double)(k * i % rows) / (double)rows;
          double angle = turn * (part + (double)(l * j % cols) / (double)cols);
          a += (double)in[i * cols + j] * cos(angle);
          b -= (double)in[i * cols + j] * sin(angle);
        }
      re[k * cols + l] = a;
      im[k * cols + l] = b;
    }
}
