/* prototype/pradot_products.h: matrix products of 16-bit numbers, where the processor has
 * instructions for them (AVX-512 VNNI and BF16). */
#ifndef BURL_PROTOTYPE_PRADOT_PRODUCTS_H
#define BURL_PROTOTYPE_PRADOT_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

/* Whether the two products may be called. */
int burl_pradot_has_products(void);

#define BURL_PRADOT_PANEL 32 /* prototypes, or features, that a product takes together */
#define BURL_PRADOT_GROUP 12 /* patches, likewise */

/* d numbers as pairs: two numbers a word, the first in the low half, an odd one beside 0. */
static inline size_t burl_pradot_pairs(size_t d) {
  return (d + 1) / 2;
}

/* Directions (vectors of length 1 or 0) as whole numbers of 2^-15, in panels of `width` vectors
 * with the words of a pair side by side: panel p holds pair t of vector width p + l at (p pairs +
 * t) width + l; vectors past n are 0. */
void burl_pradot_pack_panels(uint32_t *panels, const float *directions, size_t n, size_t d,
                             size_t width);

/* cosines (count, panels * 32), leading dimension ld: products of the whole numbers, which are
 * exact: no sum of a product of two directions leaves 32 bits. x in panels of BURL_PRADOT_GROUP. */
void burl_pradot_cosines(float *cosines, size_t ld, const uint32_t *x, size_t count,
                         const uint32_t *panels, size_t panel_count, size_t pairs);

/* The second product: centres += K^T X in bfloat16 with sums in float. Rows come as pairs: row 2 r
 * in the low half of a word and row 2 r + 1 in the high one.
 * x: panel-major, word t of pair r of panel p at (p x_pairs + r) 32 + t, for features 32 p + t.
 * k: groups of 32 columns, word c of pair r of group g at (g pairs + r) 32 + c.
 * centres (groups 32, ld): as many columns as panels have, ld >= panels * 32. */
void burl_pradot_add_centres(float *centres, size_t ld, const uint32_t *k, size_t groups,
                             const uint32_t *x, size_t panels, size_t x_pairs, size_t pairs);
/* Two packed rows of a kernel (32 columns each, see pradot_rows.h) to the words of their pairs. */
void burl_pradot_pair_rows(uint32_t *words, const uint32_t *even, const uint32_t *odd);
/* Words of two rows of d features times a factor each, rounded to bfloat16, to panels of pair r. */
void burl_pradot_pair_features(uint32_t *panels, size_t x_pairs, size_t r, const float *even,
                               float even_factor, const float *odd, float odd_factor, size_t d);

#endif
