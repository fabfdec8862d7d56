/* base/half.h: floats of 16 bits. */
#ifndef BURL_BASE_HALF_H
#define BURL_BASE_HALF_H

#include <stdint.h>

/* IEEE binary16; to it the nearest, of two equally near the even one, infinity where it is too
 * large. */
float burl_half_to_float(uint16_t half);
uint16_t burl_half_from_float(float value);
/* The upper half of a float. */
float burl_bfloat_to_float(uint16_t value);

#endif
