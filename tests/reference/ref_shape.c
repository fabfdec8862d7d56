#include "reference/ref_shape.h"

#include <math.h>

void ref_distance(double *squared, const uint8_t *mask, size_t height, size_t width, int wanted) {
  for (size_t i = 0; i < height * width; i++) {
    squared[i] = HUGE_VAL;
    for (size_t j = 0; j < height * width; j++) {
      double dy = (double)(i / width) - (double)(j / width);
      double dx = (double)(i % width) - (double)(j % width);
      if ((mask[j] != 0) == wanted) squared[i] = fmin(squared[i], dy * dy + dx * dx);
    }
  }
}
