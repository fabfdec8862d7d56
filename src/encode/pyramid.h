/* encode/pyramid.h: binomial pyramid: [1 4 6 4 1]/16 both ways, factor 2 (Burt and Adelson, 1983).
 * Sample (y,x) of the next level lies at (2y,2x) of the one below; borders are mirrored about the
 * edge sample.
 */
#ifndef BURL_ENCODE_PYRAMID_H
#define BURL_ENCODE_PYRAMID_H

#include <stddef.h>

/* out ((h+1)/2, (w+1)/2) from in (h,w); row needs room for w+4 floats. */
void burl_pyramid_down(float *restrict out, float *restrict row, const float *restrict in, size_t h,
                       size_t w);

/* out (h,w) from in ((h+1)/2,(w+1)/2), bilinear: out(2y,2x) = in(y,x), the edge sample repeated. */
void burl_pyramid_up(float *restrict out, const float *restrict in, size_t h, size_t w);

#endif
