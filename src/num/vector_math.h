/* num/vector_math.h: the exponential, for whole arrays and inside vectorised loops. */
#ifndef BURL_NUM_VECTOR_MATH_H
#define BURL_NUM_VECTOR_MATH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* y_i = exp(x_i), within 2 units in the last place; y may be x. What would be below the smallest
 * normal number is 0 (no slow subnormals), what is too large is infinity, NaN stays NaN. The same
 * bytes on every machine. */
void burl_num_exp_float(float *y, const float *x, size_t n);
void burl_num_exp_double(double *y, const double *x, size_t n);

/* The same for one number, free of branches so that a loop around it becomes vector code in the
 * instruction set of its function. x = n log 2 + r, |r| <= log(2)/2; e^r is a minimax polynomial
 * 1 + r + r^2 q(r); 2^n is put together from two exponents, since 2^128 is no float. Adding and
 * subtracting `magic` rounds to an integer and leaves it in the low bits. */
__attribute__((always_inline)) static inline float exp_float(float x) {
  const float lowest = -87.33654f, highest = 88.72284f, magic = 12582912.0f;
  float inside = x < lowest ? lowest : x;
  inside = inside > highest ? highest : inside;
  float shifted = inside * 1.44269504f + magic;
  float n = shifted - magic;
  float r = (inside - n * 0.693145751953125f) - n * 1.42860677e-06f;
  float q = 0.00138143294f;
  q = q * r + 0.00836885124f;
  q = q * r + 0.0416684009f;
  q = q * r + 0.166665195f;
  q = q * r + 0.499999934f;
  float e = 1.0f + (r + r * r * q);
  uint32_t bits, base, low, high;
  float scale_low, scale_high;
  memcpy(&bits, &shifted, sizeof bits);
  memcpy(&base, &magic, sizeof base);
  uint32_t biased = bits - base + 254;
  low = (biased >> 1) << 23;
  high = (biased - (biased >> 1)) << 23;
  memcpy(&scale_low, &low, sizeof low);
  memcpy(&scale_high, &high, sizeof high);
  e = e * scale_low * scale_high;
  e = x < lowest ? 0.0f : e;
  return x > highest ? __builtin_inff() : e;
}

__attribute__((always_inline)) static inline double exp_double(double x) {
  const double lowest = -708.3964185322641, highest = 709.782712893384, magic = 6755399441055744.0;
  double inside = x < lowest ? lowest : x;
  inside = inside > highest ? highest : inside;
  double shifted = inside * 1.4426950408889634 + magic;
  double n = shifted - magic;
  double r = (inside - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  double q = 2.4999857357166805e-08;
  q = q * r + 2.763052345228950e-07;
  q = q * r + 2.7557588424155371e-06;
  q = q * r + 2.4801492388340956e-05;
  q = q * r + 0.00019841269502737832;
  q = q * r + 0.0013888888944249137;
  q = q * r + 0.0083333333334969249;
  q = q * r + 0.041666666666528104;
  q = q * r + 0.16666666666666408;
  q = q * r + 0.50000000000000108;
  double e = 1.0 + (r + r * r * q);
  uint64_t bits, base, low, high;
  double scale_low, scale_high;
  memcpy(&bits, &shifted, sizeof bits);
  memcpy(&base, &magic, sizeof base);
  uint64_t biased = bits - base + 2046;
  low = (biased >> 1) << 52;
  high = (biased - (biased >> 1)) << 52;
  memcpy(&scale_low, &low, sizeof low);
  memcpy(&scale_high, &high, sizeof high);
  e = e * scale_low * scale_high;
  e = x < lowest ? 0.0 : e;
  return x > highest ? __builtin_inf() : e;
}

#endif
