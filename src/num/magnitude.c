/* Without their sign, IEEE numbers are ordered like their bits, with infinity above all numbers and
 * NaN above infinity: one integer maximum finds the largest magnitude and whatever is not finite.
 */
#include "num/magnitude.h"

#include "num/simd.h"

#include <stdint.h>
#include <string.h>

BURL_CLONES static uint32_t largest_bits32(const float *x, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits &= UINT32_MAX >> 1;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

BURL_CLONES static uint64_t largest_bits64(const double *x, size_t n) {
  uint64_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits &= UINT64_MAX >> 1;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

BURL_CLONES static uint32_t smallest_bits32(const float *x, size_t n) {
  uint32_t smallest = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    bits &= UINT32_MAX >> 1;
    smallest = bits < smallest ? bits : smallest;
  }
  return smallest;
}

size_t burl_num_least_float(const float *x, size_t n) {
  uint32_t smallest = smallest_bits32(x, n), bits;
  size_t i = 0;
  for (memcpy(&bits, x, sizeof bits); (bits & UINT32_MAX >> 1) != smallest;)
    memcpy(&bits, x + ++i, sizeof bits);
  return i;
}

float burl_num_magnitude_float(const float *x, size_t n) {
  uint32_t bits = largest_bits32(x, n);
  float magnitude;
  memcpy(&magnitude, &bits, sizeof magnitude);
  return magnitude;
}

double burl_num_magnitude_double(const double *x, size_t n) {
  uint64_t bits = largest_bits64(x, n);
  double magnitude;
  memcpy(&magnitude, &bits, sizeof magnitude);
  return magnitude;
}
