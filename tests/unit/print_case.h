/* unit/print_case.h: printed cloth of which everything is known. */
#ifndef BURL_TESTS_PRINT_CASE_H
#define BURL_TESTS_PRINT_CASE_H

#include "base/random.h"
#include "encode/lattice.h"

#include <math.h>
#include <stdlib.h>

enum { IMAGES = 6 };

/* A print of which everything is known: u = offset + wave p. */
typedef struct print {
  double wave[2][2]; /* of the cloth */
  double contrast;
  int stripes;
} print;

typedef struct sample_image {
  burl_image image;
  burl_view view;
  double wave[2][2], offset[2]; /* of this image */
} sample_image;

static inline double gauss(double u, double v, double cu, double cv, double size) {
  double du = u - cu, dv = v - cv;
  du -= round(du);
  dv -= round(dv);
  return exp(-0.5 * (du * du + dv * dv) / (size * size));
}

/* Three spots of different size and height: no symmetry. */
static inline double ink(const print *p, double u, double v) {
  if (p->stripes) return gauss(u, 0.0, 0.2, 0.0, 0.06) + 0.6 * gauss(u, 0.0, 0.5, 0.0, 0.03) - 0.3;
  return gauss(u, v, 0.2, 0.3, 0.1) - 0.8 * gauss(u, v, 0.7, 0.4, 0.07) +
         0.6 * gauss(u, v, 0.5, 0.8, 0.06);
}

static inline print print_of(double angle, double repeat, int stripes) {
  double c = cos(angle * acos(-1.0) / 180.0), s = sin(angle * acos(-1.0) / 180.0);
  print p = {{{s / repeat, c / repeat}, {c / repeat, -s / repeat}}, 0.2, stripes};
  if (stripes) p.wave[1][0] = p.wave[1][1] = 0.0;
  return p;
}

/* Yarns of 7 x 8 pixels, noise, light from one side, and the print turned and stretched by up to
 * `bend`. */
static inline void draw(sample_image *s, const print *p, size_t height, size_t width, uint64_t seed,
                        double bend) {
  burl_random random = burl_random_start(seed, 1);
  double strain[2][2];
  for (int k = 0; k < 4; k++)
    strain[k / 2][k % 2] = bend * (2.0 * burl_random_uniform(&random) - 1.0);
  for (int k = 0; k < 2; k++) {
    s->offset[k] = burl_random_uniform(&random);
    for (int l = 0; l < 2; l++)
      s->wave[k][l] = p->wave[k][l] + p->wave[k][0] * strain[0][l] + p->wave[k][1] * strain[1][l];
  }
  assert_int_equal(burl_image_new(&s->image, height, width, 1, BURL_U8), BURL_OK);
  unsigned char *at = s->image.data;
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) {
      double fy = (double)y, fx = (double)x;
      double u = s->offset[0] + s->wave[0][0] * fy + s->wave[0][1] * fx;
      double v = s->offset[1] + s->wave[1][0] * fy + s->wave[1][1] * fx;
      double grey = 0.5 + p->contrast * ink(p, u, v);
      grey += 0.05 * sin(fx * 0.8976) + 0.05 * sin(fy * 0.7854) + 0.1 * fx / (double)width;
      grey += 0.04 * burl_random_normal(&random);
      *at++ = (unsigned char)(255.0 * fmin(fmax(grey, 0.0), 1.0));
    }
  assert_int_equal(burl_view_open(&s->view, &s->image), BURL_OK);
}

static inline void draw_all(sample_image *s, size_t count, const print *p, size_t height,
                            size_t width, uint64_t seed, double bend) {
  for (size_t i = 0; i < count; i++)
    draw(&s[i], p, height, width, seed * 100 + i, bend);
}

static inline void free_all(sample_image *s, size_t count) {
  for (size_t i = 0; i < count; i++)
    burl_image_free(&s[i].image);
}

static inline void learn(burl_lattice *lattice, const sample_image *s, size_t count) {
  *lattice = (burl_lattice){0};
  for (size_t pass = 0; pass < BURL_LATTICE_PASSES; pass++) {
    double *sums = calloc(burl_lattice_count_statistics(lattice, pass), sizeof *sums);
    assert_non_null(sums);
    for (size_t i = 0; i < count; i++)
      assert_int_equal(burl_lattice_learn(lattice, pass, &s[i].view, sums), BURL_OK);
    assert_int_equal(burl_lattice_learned(lattice, pass, sums), BURL_OK);
    free(sums);
  }
}

#endif
