#include "ref_network_pool.h"

#include <math.h>

double ref_pooled(const float *map, size_t rows, size_t cols, size_t d, size_t i, size_t j,
                  size_t t) {
  double sum = 0.0;
  for (int di = -1; di <= 1; di++)
    for (int dj = -1; dj <= 1; dj++) {
      long y = (long)i + di, x = (long)j + dj;
      if (y < 0 || x < 0 || y >= (long)rows || x >= (long)cols) continue;
      sum += (double)map[((size_t)y * cols + (size_t)x) * d + t];
    }
  return sum / 9.0;
}

static double clamped(double v, size_t n) {
  return fmax(0.0, fmin(v, (double)(n - 1)));
}

double ref_looked_up(const float *map, size_t rows, size_t cols, size_t d, double y, double x,
                     size_t t) {
  y = clamped(y, rows), x = clamped(x, cols);
  double sum = 0.0;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < cols; j++) {
      double u = fmax(0.0, 1.0 - fabs(y - (double)i)), v = fmax(0.0, 1.0 - fabs(x - (double)j));
      sum += u * v * (double)map[(i * cols + j) * d + t];
    }
  return sum;
}
