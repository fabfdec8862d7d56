/* prototype/pradot_rows.h: inner loops of the plan: rows of costs and of the kernel, as floats and
 * packed into 16 bits. */
#ifndef BURL_PROTOTYPE_PRADOT_ROWS_H
#define BURL_PROTOTYPE_PRADOT_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* Rows are a whole number of blocks of so many entries. A word of a packed block holds entry w in
 * its low half and entry w + 16 in its high one, so that unpacking needs no shuffles. */
#define BURL_PRADOT_BLOCK 32

/* row = 1 - row, within 0..2; returns the largest. */
float burl_pradot_cost_row(float *row, size_t m);
/* row_j = weight row_j + place_(j % cells). */
void burl_pradot_mix_row(float *row, float weight, const float *place, size_t cells, size_t copies);

/* Costs in 0..bound as 16-bit whole numbers of bound/65535, and back. m: multiple of the block. */
void burl_pradot_pack_costs(uint32_t *words, const float *row, float bound, size_t m);
void burl_pradot_unpack_costs(float *row, const uint32_t *words, float bound, size_t m);
/* Kernel entries >= 0 as the upper halves of floats, rounded, and back. */
void burl_pradot_pack_kernel(uint32_t *words, const float *row, size_t m);
void burl_pradot_unpack_kernel(float *row, const uint32_t *words, size_t m);

/* least_j = min(least_j, scale row_j - u). */
void burl_pradot_least_row(float *least, const float *row, float scale, float u, size_t m);
/* sum_j += exp(least_j - (scale row_j - u)). */
void burl_pradot_sum_row(float *sum, const float *least, const float *row, float scale, float u,
                         size_t m);
/* row_j = exp(gamma_j - scale row_j - max), 0 below 1e-30; returns max, the largest exponent. */
float burl_pradot_kernel_row(float *row, const float *gamma, float scale, size_t m);
/* sum_j row_j y_j (gamma_j - log row_j), of entries above 0; row is overwritten. m: multiple of the
 * block. */
double burl_pradot_loss_row(float *row, const float *y, const float *gamma, size_t m);
/* row_j = row_j y_j times. */
void burl_pradot_plan_part(float *row, const float *y, float times, size_t m);

/* Rows of a packed kernel at distance ld (words): r_i = sum_j K_ij y_j, s_j += sum_i K_ij / r_i;
 * both products of a sweep in one reading. m: multiple of the block. */
void burl_pradot_packed_rows(float *r, float *s, const uint32_t *K, size_t ld, size_t rows,
                             size_t m, const float *y);

#endif
