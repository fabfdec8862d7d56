/* binary16: sign, 5 bits of exponent with bias 15, 10 of fraction; bfloat16 is the upper half of a
 * float. Rounding is done by the float unit: adding a number so large that its last place is the
 * half's last place leaves the rounded value in the low bits. */
#include "base/half.h"

#include <math.h>
#include <string.h>

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

float burl_half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, rest = half & 0x7fffu;
  if (rest >= 0x7c00u) return float_of(sign | 0x7f800000u | (rest & 0x03ffu) << 13);
  float magnitude =
      rest < 0x0400u ? ldexpf((float)rest, -24) : float_of((rest << 13) + 0x38000000u);
  return sign ? -magnitude : magnitude;
}

uint16_t burl_half_from_float(float value) {
  uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (bits >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 and above */
  if (bits < 0x38800000u) /* below the smallest normal: the last place is 2^-24 */
    return (uint16_t)(sign | (bits_of(float_of(bits) + 0.5f) - bits_of(0.5f)));
  uint32_t odd = bits >> 13 & 1u;
  return (uint16_t)(sign | (bits - 0x38000000u + 0x0fffu + odd) >> 13);
}

float burl_bfloat_to_float(uint16_t value) {
  return float_of((uint32_t)value << 16);
}
