/* What comes of a plan: its loss, the centres of what prototypes receive, its rows. */
#include "num/gemm.h"
#include "prototype/pradot_plan_parts.h"
#include "prototype/pradot_products.h"
#include "prototype/pradot_rows.h"
#include "prototype/pradot_sparse.h"

#include <string.h>

static int is_listed(const burl_pradot_plan *plan, size_t i) {
  return plan->is_listed[i / BURL_PRADOT_BLOCK_ROWS];
}

/* Entries first..first+width-1 of row i of the kernel; both multiples of the block. */
static void unpack_part(const burl_pradot_plan *plan, float *row, size_t i, size_t first,
                        size_t width) {
  if (is_listed(plan, i))
    burl_pradot_unlist_row(row, burl_pradot_matrix_row(plan, i), plan->listed[i], first, width);
  else if (plan->half)
    burl_pradot_unpack_kernel(row, (const uint32_t *)burl_pradot_matrix_row(plan, i) + first / 2,
                              width);
  else
    memcpy(row, (const float *)burl_pradot_matrix_row(plan, i) + first, width * sizeof *row);
}

static void add_losses(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  double sum = 0.0;
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++) {
    size_t i = block * BURL_PRADOT_BLOCK_ROWS + q;
    unpack_part(plan, scratch->strip, i, 0, plan->padded);
    double row = burl_pradot_loss_row(scratch->strip, plan->y, plan->gamma, plan->padded);
    sum += row / (double)plan->r[i] - (double)plan->shift[i];
  }
  plan->block_sum[block] = sum;
}

/* M_ij = eps (gamma_j - shift_i - log K_ij), where K_ij is not 0. */
double burl_pradot_plan_loss(burl_pradot_plan *plan) {
  burl_pradot_for_rows(plan, add_losses);
  double sum = 0.0;
  for (size_t b = 0; b < burl_pradot_count_blocks(plan->n); b++)
    sum += plan->block_sum[b];
  return plan->problem->eps * sum / (double)plan->n;
}

/* Centres of one block of columns; rows of an image lie one after the other, so that its features
 * are used where they are. */
static void add_centres(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  const burl_pradot_problem *problem = plan->problem;
  size_t first = block * plan->width, d = plan->d, left = plan->padded - first;
  size_t width = left < plan->width ? left : plan->width;
  size_t real = plan->k - first < width ? plan->k - first : width;
  float times = (float)((double)plan->k / (double)plan->n), beta = 0.0f;
  size_t pieces = (problem->patches + BURL_PRADOT_CENTRE_ROWS - 1) / BURL_PRADOT_CENTRE_ROWS;
  for (size_t piece = 0; piece < problem->count * pieces; piece++) {
    size_t image = piece / pieces, part = piece % pieces;
    size_t begin = problem->patches * part / pieces, end = problem->patches * (part + 1) / pieces;
    size_t i = image * problem->patches + begin;
    for (size_t q = 0; q < end - begin; q++) {
      float *row = scratch->strip + q * width;
      unpack_part(plan, row, i + q, first, width);
      burl_pradot_plan_part(row, plan->y + first, 1.0f / plan->r[i + q], width);
    }
    burl_status status = burl_num_sgemm(plan->centres + first * d, d, scratch->strip, width,
                                        BURL_NUM_TRANSPOSED, burl_pradot_patch(plan, i), d,
                                        BURL_NUM_PLAIN, real, d, end - begin, times, beta);
    if (plan->where)
      status = burl_num_sgemm(plan->where + first * 2, 2, scratch->strip, width,
                              BURL_NUM_TRANSPOSED, plan->patch_places + begin * 2, 2,
                              BURL_NUM_PLAIN, real, 2, end - begin, times, beta);
    (void)status; /* _new has seen to the sizes */
    beta = 1.0f;
  }
}

/* Patches over their row sums as pairs of rows, for one block of rows. */
static void pair_patches(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  size_t all = burl_pradot_pairs(plan->n), end = (block + 1) * BURL_PRADOT_BLOCK_ROWS / 2;
  (void)scratch;
  for (size_t r = block * BURL_PRADOT_BLOCK_ROWS / 2; r < all && r < end; r++) {
    size_t odd = 2 * r + 1 < plan->n ? 2 * r + 1 : 2 * r;
    burl_pradot_pair_features(plan->pairs, all, r, burl_pradot_patch(plan, 2 * r),
                              1.0f / plan->r[2 * r], burl_pradot_patch(plan, odd),
                              odd > 2 * r ? 1.0f / plan->r[odd] : 0.0f, plan->d);
  }
}

/* The words of entries first..first+width-1 of row i, where they are or in `room`. */
static const uint32_t *words_of(const burl_pradot_plan *plan, uint32_t *room, size_t i,
                                size_t first, size_t width) {
  const uint32_t *row = burl_pradot_matrix_row(plan, i);
  if (!is_listed(plan, i)) return row + first / 2;
  burl_pradot_unlist_words(room, row, plan->listed[i], first, width);
  return room;
}

/* Pairs of rows begin..begin+count-1 of one block of columns, into the words. */
static void pair_kernel(const burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t begin,
                        size_t count, size_t first, size_t groups) {
  size_t width = groups * BURL_PRADOT_PANEL;
  uint32_t *room = (uint32_t *)scratch->x;
  for (size_t r = begin; r < begin + count; r++) {
    size_t last = 2 * r + 1 < plan->n ? 2 * r + 1 : 2 * r;
    const uint32_t *even = words_of(plan, room, 2 * r, first, width);
    const uint32_t *odd = words_of(plan, room + width / 2, last, first, width);
    for (size_t g = 0; g < groups; g++)
      burl_pradot_pair_rows(scratch->words + (g * count + r - begin) * BURL_PRADOT_PANEL,
                            even + g * BURL_PRADOT_PANEL / 2, odd + g * BURL_PRADOT_PANEL / 2);
  }
}

/* Rows first_row..end-1, where they are lists; 0 where one is not. */
static int add_lists(const burl_pradot_plan *plan, float *centres, size_t first_row, size_t end,
                     size_t first, size_t width) {
  for (size_t i = first_row; i < end; i++)
    if (!is_listed(plan, i)) return 0;
  for (size_t i = first_row; i < end; i++)
    burl_pradot_add_listed(centres, burl_pradot_matrix_row(plan, i), plan->listed[i], first, width,
                           burl_pradot_patch(plan, i), plan->r[i], plan->d);
  return 1;
}

/* Centres of one block of columns by products of 16-bit numbers. */
static void add_paired_centres(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  size_t first = block * plan->width, d = plan->d, left = plan->k - first;
  size_t groups = (left < plan->width ? left : plan->width) / BURL_PRADOT_PANEL;
  size_t all = burl_pradot_pairs(plan->n), width = groups * BURL_PRADOT_PANEL;
  float *centres = plan->centres + first * d;
  memset(centres, 0, width * d * sizeof *centres);
  for (size_t begin = 0; begin < all; begin += BURL_PRADOT_CENTRE_ROWS / 2) {
    size_t room = BURL_PRADOT_CENTRE_ROWS / 2, count = all - begin < room ? all - begin : room;
    size_t end = 2 * (begin + count) < plan->n ? 2 * (begin + count) : plan->n;
    if (add_lists(plan, centres, 2 * begin, end, first, width)) continue;
    pair_kernel(plan, scratch, begin, count, first, groups);
    burl_pradot_add_centres(centres, d, scratch->words, groups,
                            plan->pairs + begin * BURL_PRADOT_PANEL, d / BURL_PRADOT_PANEL, all,
                            count);
  }
  double times = (double)plan->k / (double)plan->n;
  for (size_t j = 0; j < width; j++)
    for (size_t t = 0; t < d; t++)
      centres[j * d + t] *= (float)(times * (double)plan->y[first + j]);
}

void burl_pradot_plan_centres(burl_pradot_plan *plan, float *centres, float *where,
                              const float *patch_places) {
  size_t blocks = (plan->k + plan->width - 1) / plan->width;
  plan->centres = centres;
  plan->where = where;
  plan->patch_places = patch_places;
  if (!plan->products || where || plan->d % BURL_PRADOT_PANEL || plan->k % BURL_PRADOT_PANEL) {
    burl_pradot_for_blocks(plan, blocks, add_centres);
    return;
  }
  burl_pradot_for_rows(plan, pair_patches);
  burl_pradot_for_blocks(plan, blocks, add_paired_centres);
}

void burl_pradot_plan_row(const burl_pradot_plan *plan, float *row, size_t i) {
  float *whole = plan->scratch[0].strip;
  unpack_part(plan, whole, i, 0, plan->padded);
  burl_pradot_plan_part(whole, plan->y, 1.0f / (plan->r[i] * (float)plan->n), plan->padded);
  memcpy(row, whole, plan->k * sizeof *row);
}
