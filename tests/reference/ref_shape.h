/* Shapes by their definitions: distances pixel by pixel. */
#ifndef BURL_TESTS_REF_SHAPE_H
#define BURL_TESTS_REF_SHAPE_H

#include <stddef.h>
#include <stdint.h>

/* squared (height, width): squared distance to the nearest pixel where (mask != 0) == wanted. */
void ref_distance(double *squared, const uint8_t *mask, size_t height, size_t width, int wanted);

#endif
