/* synth/grain.h: smooth random numbers: a table for the plane, lattices along yarns. */
#ifndef BURL_SYNTH_GRAIN_H
#define BURL_SYNTH_GRAIN_H

#include <stddef.h>
#include <stdint.h>

#define BURL_GRAIN_SIDE 128

/* Fills BURL_GRAIN_SIDE^2 numbers in (-1, 1), triangular about 0. */
void burl_grain_fill(float *grain, uint64_t key);

/* The table at (x, y), linear between its points, repeating. Needs |x|, |y| < 2^20. */
float burl_grain_at(const float *grain, float x, float y);

/* Four uniform numbers in [-1, 1) that belong to point `point` of line `line` of a stream. */
void burl_grain_hash(float out[4], uint64_t key, unsigned stream, int64_t line, int64_t point);

/* The same, smooth in `position` with a lattice point every `period`. */
void burl_grain_along(float out[4], uint64_t key, unsigned stream, int64_t line, int64_t position,
                      int period);

/* Smooth step from 0 at x <= 0 to 1 at x >= 1. */
float burl_ease(float x);

#endif
