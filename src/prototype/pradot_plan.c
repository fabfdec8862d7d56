/* Entropic transport between a batch of feature maps and many prototypes, in 2 or 4 bytes an entry.
 *
 * In units where every row has mass 1 and every column n/k, P = diag(x) K diag(y) with
 *     K_ij = exp(gamma_j - M_ij/eps - shift_i),   shift_i = max_j(gamma_j - M_ij/eps),
 *     x_i = 1 / (K y)_i                 (row step)
 *     y_j = (n/k) / (K^T x)_j           (column step)
 * The first column step, at row potentials 0, is done in the log domain and taken into gamma before
 * K is built. Then each row of K has an entry 1 and each column one of at least 1/n: columns add up
 * to n/k before rows are divided by their largest entry, so that no largest entry of a row is above
 * n/k, and the largest one of a column is at least 1/k.
 * K stays good as long as y and the row sums are within a factor DRIFT of where they were at the
 * start; otherwise y goes into gamma and K is built anew.
 *
 * There is one matrix. It first holds the feature costs 1 - cos, because they are to be divided by
 * the largest of them and products are dear; then, row by row in their place, K. When K is built
 * anew, costs are computed anew.
 *
 * As prototypes part, most entries of the plan become too small to matter. In 16 bits, rows of
 * which few are left are kept as lists of these after SETTLED sweeps. How much of a row or column
 * the others may make up is watched, and K built anew before it is LEFT_OUT.
 *
 * Rows are worked off in blocks of BURL_PRADOT_BLOCK_ROWS, each with column sums of its own, added
 * up in their order, and centres in blocks of columns: the same bytes for any number of threads. */
#include "prototype/pradot_plan_parts.h"

#include "num/gemm.h"
#include "num/scaling.h"
#include "prototype/pradot_products.h"
#include "prototype/pradot_rows.h"
#include "prototype/pradot_sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRIFT 1e9f
#define LOOK_EVERY 10
#define SMALLEST_SUM 1e-25
#define SETTLED 10      /* sweeps of a kernel, before rows are listed */
#define CUT 1e-16f      /* entries that lists leave out, as shares of their row */
#define LEFT_OUT 1e-5   /* of the mass of a row or column, at most */
#define LISTED_SHARE 20 /* rows are listed where at most one in so many entries is left */

static size_t pad(size_t m) {
  return (m + BURL_PRADOT_BLOCK - 1) / BURL_PRADOT_BLOCK * BURL_PRADOT_BLOCK;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

/* Reserves an array, or takes it once the block is there. */
static void *claim(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(burl_pradot_plan *plan, size_t entries) {
  burl_arena *arena = &plan->arena;
  size_t n = plan->n_most, padded = plan->padded, blocks = burl_pradot_count_blocks(n);
  size_t strip = larger(BURL_PRADOT_BLOCK_ROWS * padded, BURL_PRADOT_CENTRE_ROWS * plan->width);
  plan->matrix = claim(arena, entries, plan->half ? 2 : 4);
  plan->part = claim(arena, blocks * padded, sizeof(float));
  plan->y = claim(arena, padded, sizeof(float));
  plan->gamma = claim(arena, padded, sizeof(float));
  plan->least = claim(arena, padded, sizeof(float));
  plan->r = claim(arena, n, sizeof(float));
  plan->u = claim(arena, n, sizeof(float));
  plan->shift = claim(arena, n, sizeof(float));
  plan->r_at_build = claim(arena, n, sizeof(float));
  plan->r_at_listing = claim(arena, n, sizeof(float));
  plan->y_at_listing = claim(arena, padded, sizeof(float));
  plan->ones = claim(arena, BURL_PRADOT_BLOCK_ROWS, sizeof(float));
  plan->listed = claim(arena, n, sizeof(uint32_t));
  plan->is_listed = claim(arena, blocks, sizeof(uint8_t));
  plan->gamma_exact = claim(arena, plan->k, sizeof(double));
  plan->s = claim(arena, padded, sizeof(double));
  plan->block_sum = claim(arena, blocks, sizeof(double));
  size_t pairs = burl_pradot_pairs(plan->d), words = 0;
  if (plan->products) {
    size_t wide = (plan->d + BURL_PRADOT_PANEL - 1) / BURL_PRADOT_PANEL * BURL_PRADOT_PANEL;
    plan->panels = claim(arena, padded * pairs, sizeof(uint32_t));
    plan->pairs = claim(arena, burl_pradot_pairs(n) * wide, sizeof(uint32_t));
    words = larger((BURL_PRADOT_BLOCK_ROWS + BURL_PRADOT_GROUP) * pairs,
                   BURL_PRADOT_CENTRE_ROWS / 2 * plan->width);
  }
  for (int t = 0; t < plan->threads; t++) {
    plan->scratch[t].words = claim(arena, words, sizeof(uint32_t));
    plan->scratch[t].strip = claim(arena, strip, sizeof(float));
    plan->scratch[t].x = claim(arena, BURL_PRADOT_BLOCK_ROWS * plan->d, sizeof(float));
  }
}

burl_status burl_pradot_plan_new(burl_pradot_plan **plan, size_t n, size_t k, size_t cells,
                                 size_t d, int half, int threads) {
  size_t entries, bytes;
  if (n == 0 || k == 0 || d == 0 || cells == 0 || k % cells || threads < 1)
    return BURL_ERR_ARGUMENT;
  if (n > INT32_MAX / 2 || k > INT32_MAX / BURL_PRADOT_CENTRE_ROWS ||
      d > INT32_MAX / BURL_PRADOT_CENTRE_ROWS || !burl_size_mul(&entries, n, pad(k)) ||
      !burl_size_mul(&bytes, entries, 8))
    return BURL_ERR_SIZE;
  burl_pradot_plan *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n_most = n;
  made->k = k;
  made->padded = pad(k);
  made->cells = cells;
  made->d = d;
  made->half = half;
  made->products = half && burl_pradot_has_products();
  made->threads = threads < BURL_TEAM_MOST ? threads : BURL_TEAM_MOST;
  made->width = pad((k + 15) / 16);
  lay_out(made, entries);
  if (!burl_arena_open(&made->arena)) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  lay_out(made, entries);
  for (size_t i = 0; i < BURL_PRADOT_BLOCK_ROWS; i++)
    made->ones[i] = 1.0f;
  memset(made->gamma_exact, 0, k * sizeof *made->gamma_exact);
  burl_team_open(&made->team, made->threads);
  *plan = made;
  return BURL_OK;
}

void burl_pradot_plan_free(burl_pradot_plan *plan) {
  if (!plan) return;
  burl_team_close(&plan->team);
  burl_arena_close(&plan->arena);
  free(plan);
}

static void serve_blocks(void *context, int member, int members) {
  burl_pradot_plan *plan = context;
  (void)members;
  for (;;) {
    size_t block = atomic_fetch_add(&plan->next, 1);
    if (block >= plan->blocks) return;
    plan->work(plan, &plan->scratch[member], block);
  }
}

void burl_pradot_for_blocks(burl_pradot_plan *plan, size_t blocks, burl_pradot_work work) {
  plan->work = work;
  plan->blocks = blocks;
  atomic_store(&plan->next, 0);
  burl_team_run(&plan->team, serve_blocks, plan);
}

void burl_pradot_for_rows(burl_pradot_plan *plan, burl_pradot_work work) {
  burl_pradot_for_blocks(plan, burl_pradot_count_blocks(plan->n), work);
}

void burl_pradot_directions(float *direction, const float *x, size_t n, size_t d) {
  for (size_t i = 0; i < n; i++) {
    double squares = 0.0;
    for (size_t t = 0; t < d; t++)
      squares += (double)x[i * d + t] * (double)x[i * d + t];
    double inverse = squares > 0.0 ? 1.0 / sqrt(squares) : 0.0;
    for (size_t t = 0; t < d; t++)
      direction[i * d + t] = (float)((double)x[i * d + t] * inverse);
  }
}

static void compute_cosines(const burl_pradot_plan *plan, burl_pradot_scratch *scratch,
                            size_t count) {
  size_t d = plan->d;
  if (plan->products) {
    burl_pradot_pack_panels(scratch->words, scratch->x, count, d, BURL_PRADOT_GROUP);
    burl_pradot_cosines(scratch->strip, plan->padded, scratch->words, count, plan->panels,
                        plan->padded / BURL_PRADOT_PANEL, burl_pradot_pairs(d));
    return;
  }
  burl_status status = burl_num_sgemm(scratch->strip, plan->padded, scratch->x, d, BURL_NUM_PLAIN,
                                      plan->problem->directions, d, BURL_NUM_TRANSPOSED, count,
                                      plan->k, d, 1.0f, 0.0f);
  (void)status; /* _new has seen to the sizes */
}

/* Feature costs of a block, into the strip; returns the largest. */
static float compute_costs(const burl_pradot_plan *plan, burl_pradot_scratch *scratch,
                           size_t block) {
  size_t count = burl_pradot_rows_of(plan, block), d = plan->d;
  float largest = 0.0f;
  for (size_t q = 0; q < count; q++)
    burl_pradot_directions(scratch->x + q * d,
                           burl_pradot_patch(plan, block * BURL_PRADOT_BLOCK_ROWS + q), 1, d);
  compute_cosines(plan, scratch, count);
  for (size_t q = 0; q < count; q++) {
    float *row = scratch->strip + q * plan->padded;
    float cost = burl_pradot_cost_row(row, plan->k);
    largest = cost > largest ? cost : largest;
    for (size_t j = plan->k; j < plan->padded; j++)
      row[j] = 0.0f;
  }
  return largest;
}

static void find_largest(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  plan->block_sum[block] = (double)compute_costs(plan, scratch, block);
}

static void store_costs(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  find_largest(plan, scratch, block);
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++) {
    const float *row = scratch->strip + q * plan->padded;
    void *kept = burl_pradot_matrix_row(plan, block * BURL_PRADOT_BLOCK_ROWS + q);
    if (plan->half)
      burl_pradot_pack_costs(kept, row, plan->bound, plan->padded);
    else
      memcpy(kept, row, plan->padded * sizeof *row);
  }
}

/* Mixed costs of a block, into the strip, from stored feature costs or anew. */
static void mix_costs(const burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  const burl_pradot_problem *problem = plan->problem;
  if (!plan->stored) compute_costs(plan, scratch, block);
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++) {
    size_t i = block * BURL_PRADOT_BLOCK_ROWS + q;
    float *row = scratch->strip + q * plan->padded;
    if (plan->stored && plan->half)
      burl_pradot_unpack_costs(row, burl_pradot_matrix_row(plan, i), plan->bound, plan->padded);
    else if (plan->stored)
      memcpy(row, burl_pradot_matrix_row(plan, i), plan->padded * sizeof *row);
    burl_pradot_mix_row(row, plan->weight, problem->places + i % problem->patches * plan->cells,
                        plan->cells, plan->k / plan->cells);
  }
}

static void find_least(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  float *part = plan->part + block * plan->padded;
  for (size_t j = 0; j < plan->padded; j++)
    part[j] = INFINITY;
  mix_costs(plan, scratch, block);
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++)
    burl_pradot_least_row(part, scratch->strip + q * plan->padded, plan->scale,
                          plan->u[block * BURL_PRADOT_BLOCK_ROWS + q], plan->k);
}

static void add_exponentials(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  float *part = plan->part + block * plan->padded;
  memset(part, 0, plan->padded * sizeof *part);
  mix_costs(plan, scratch, block);
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++)
    burl_pradot_sum_row(part, plan->least, scratch->strip + q * plan->padded, plan->scale,
                        plan->u[block * BURL_PRADOT_BLOCK_ROWS + q], plan->k);
}

/* Column sums over all blocks in their order, for one block of columns. */
static void add_parts(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  (void)scratch;
  size_t first = block * plan->width;
  size_t width = plan->padded - first < plan->width ? plan->padded - first : plan->width;
  burl_num_scaling_sum_parts(plan->s + first, plan->part + first, plan->padded,
                             burl_pradot_count_blocks(plan->n), width);
}

static void sum_columns(burl_pradot_plan *plan) {
  burl_pradot_for_blocks(plan, (plan->padded + plan->width - 1) / plan->width, add_parts);
}

static double column_mass(const burl_pradot_plan *plan) {
  return (double)plan->n / (double)plan->k;
}

/* gamma_j = log(n/k) - log sum_i exp(u_i - M_ij/eps), y = 1. */
static void column_step_in_log(burl_pradot_plan *plan) {
  burl_pradot_for_rows(plan, find_least);
  for (size_t j = 0; j < plan->k; j++) {
    float least = INFINITY;
    for (size_t b = 0; b < burl_pradot_count_blocks(plan->n); b++)
      least = fminf(least, plan->part[b * plan->padded + j]);
    plan->least[j] = least;
  }
  burl_pradot_for_rows(plan, add_exponentials);
  sum_columns(plan);
  for (size_t j = 0; j < plan->k; j++)
    plan->gamma_exact[j] = log(column_mass(plan)) - log(plan->s[j]) + (double)plan->least[j];
}

static void build_block(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  mix_costs(plan, scratch, block);
  plan->is_listed[block] = 0;
  for (size_t q = 0; q < burl_pradot_rows_of(plan, block); q++) {
    size_t i = block * BURL_PRADOT_BLOCK_ROWS + q;
    float *row = scratch->strip + q * plan->padded;
    plan->shift[i] = burl_pradot_kernel_row(row, plan->gamma, plan->scale, plan->k);
    if (plan->half)
      burl_pradot_pack_kernel(burl_pradot_matrix_row(plan, i), row, plan->padded);
    else
      memcpy(burl_pradot_matrix_row(plan, i), row, plan->padded * sizeof *row);
  }
}

/* K to gamma, which also decides where y starts: at 1. */
static void build(burl_pradot_plan *plan) {
  double largest = -(double)INFINITY;
  for (size_t j = 0; j < plan->k; j++)
    largest = fmax(largest, plan->gamma_exact[j]);
  for (size_t j = 0; j < plan->padded; j++) {
    if (j < plan->k) plan->gamma_exact[j] -= largest; /* potentials are so up to a constant */
    plan->gamma[j] = j < plan->k ? (float)plan->gamma_exact[j] : 0.0f;
    plan->y[j] = j < plan->k ? 1.0f : 0.0f;
  }
  burl_pradot_for_rows(plan, build_block);
  plan->stored = 0;
  plan->age = 0;
}

static void sweep_block(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  (void)scratch;
  size_t first = block * BURL_PRADOT_BLOCK_ROWS, count = burl_pradot_rows_of(plan, block),
         padded = plan->padded;
  float *part = plan->part + block * padded;
  memset(part, 0, padded * sizeof *part);
  if (plan->is_listed[block])
    burl_pradot_listed_rows(plan->r + first, part, burl_pradot_matrix_row(plan, first), padded / 2,
                            plan->listed + first, count, plan->y);
  else if (plan->half)
    burl_pradot_packed_rows(plan->r + first, part, burl_pradot_matrix_row(plan, first), padded / 2,
                            count, padded, plan->y);
  else
    burl_num_scaling_rows(plan->r + first, part, burl_pradot_matrix_row(plan, first), padded, count,
                          padded, plan->y, plan->ones);
}

/* Row step, and the column sums that follow from it. */
static void rows(burl_pradot_plan *plan) {
  burl_pradot_for_rows(plan, sweep_block);
  sum_columns(plan);
  if (plan->age++ == 0) memcpy(plan->r_at_build, plan->r, plan->n * sizeof *plan->r);
}

/* Keeps the rows of a block as lists, where few entries matter in them. */
static void list_block(burl_pradot_plan *plan, burl_pradot_scratch *scratch, size_t block) {
  size_t count = burl_pradot_rows_of(plan, block), first = block * BURL_PRADOT_BLOCK_ROWS, all = 0;
  for (size_t q = 0; q < count; q++) {
    float *row = scratch->strip + q * plan->padded;
    burl_pradot_unpack_kernel(row, burl_pradot_matrix_row(plan, first + q), plan->padded);
    size_t here = burl_pradot_count_row(row, plan->y, CUT * plan->r[first + q], plan->padded);
    if (here > plan->padded / 2) return; /* words that a row has room for */
    all += here;
  }
  if (all > count * plan->padded / LISTED_SHARE) return;
  for (size_t q = 0; q < count; q++)
    plan->listed[first + q] = (uint32_t)burl_pradot_list_row(
        burl_pradot_matrix_row(plan, first + q), scratch->strip + q * plan->padded, plan->y,
        CUT * plan->r[first + q], plan->padded);
  plan->is_listed[block] = 1;
}

/* Once potentials have settled; y and row sums are those of the same sweep. */
static void list_rows(burl_pradot_plan *plan) {
  if (!plan->half || plan->padded > BURL_PRADOT_SPARSE_MOST || plan->age != SETTLED) return;
  burl_pradot_for_rows(plan, list_block);
  memcpy(plan->r_at_listing, plan->r, plan->n * sizeof *plan->r);
  memcpy(plan->y_at_listing, plan->y, plan->padded * sizeof *plan->y);
}

/* Whether what lists left out may have come to matter: it is no more than CUT times k, times the
 * growth of y, over the fall of a row's sum, of any row or column. */
static int lists_are_stale(const burl_pradot_plan *plan) {
  float most = 1.0f, least = 1.0f;
  int any = 0;
  for (size_t b = 0; b < burl_pradot_count_blocks(plan->n); b++)
    any |= plan->is_listed[b];
  if (!any) return 0;
  for (size_t j = 0; j < plan->k; j++)
    most = fmaxf(most, plan->y[j] / plan->y_at_listing[j]);
  for (size_t i = 0; i < plan->n; i++)
    least = fminf(least, plan->r[i] / plan->r_at_listing[i]);
  return !((double)plan->k * (double)CUT * (double)most <= LEFT_OUT * (double)least);
}

static int kernel_is_stale(const burl_pradot_plan *plan) {
  int stale = 0;
  for (size_t j = 0; j < plan->k; j++)
    stale |= !((plan->y[j] <= DRIFT) & (plan->y[j] * DRIFT >= 1.0f));
  return stale | burl_num_scaling_has_left(plan->r, plan->r_at_build, (double)DRIFT, plan->n) |
         lists_are_stale(plan);
}

/* Column step; gives 1 where the kernel had to be built anew. */
static int columns(burl_pradot_plan *plan) {
  int safe = 1;
  for (size_t j = 0; j < plan->k; j++)
    safe &= (plan->s[j] >= SMALLEST_SUM) & (plan->s[j] <= 1.0 / SMALLEST_SUM);
  if (!safe) { /* columns too far from every row for the kernel to tell */
    for (size_t i = 0; i < plan->n; i++)
      plan->u[i] = -logf(plan->r[i]) - plan->shift[i];
    column_step_in_log(plan);
    build(plan);
    return 1;
  }
  for (size_t j = 0; j < plan->k; j++)
    plan->y[j] = (float)(column_mass(plan) / plan->s[j]);
  if (!kernel_is_stale(plan)) return 0;
  for (size_t j = 0; j < plan->k; j++)
    plan->gamma_exact[j] += log((double)plan->y[j]);
  build(plan);
  return 1;
}

static double residual(const burl_pradot_plan *plan) {
  double squares = 0.0;
  for (size_t j = 0; j < plan->k; j++) {
    double error = ((double)plan->y[j] * plan->s[j] - column_mass(plan)) / (double)plan->n;
    squares += error * error;
  }
  return sqrt(squares);
}

static double largest_of_blocks(const burl_pradot_plan *plan) {
  double largest = 0.0;
  for (size_t b = 0; b < burl_pradot_count_blocks(plan->n); b++)
    largest = fmax(largest, plan->block_sum[b]);
  return largest;
}

static void take_problem(burl_pradot_plan *plan, const burl_pradot_problem *problem) {
  plan->problem = problem;
  plan->n = problem->count * problem->patches;
  plan->bound = problem->not_negative ? 1.0f : 2.0f;
  plan->scale = (float)(1.0 / problem->eps);
  plan->stored = 0;
  if (plan->products)
    burl_pradot_pack_panels(plan->panels, problem->directions, plan->k, plan->d, BURL_PRADOT_PANEL);
}

double burl_pradot_plan_largest(burl_pradot_plan *plan, const burl_pradot_problem *problem) {
  take_problem(plan, problem);
  burl_pradot_for_rows(plan, find_largest);
  return largest_of_blocks(plan);
}

/* Costs and the first column step, or the potentials that there are. */
static void start(burl_pradot_plan *plan, burl_pradot_plan_info *info) {
  const burl_pradot_problem *problem = plan->problem;
  burl_pradot_for_rows(plan, store_costs);
  plan->stored = 1;
  info->largest = largest_of_blocks(plan);
  double divisor = problem->divisor > 0.0 ? problem->divisor : info->largest;
  plan->weight = divisor > 0.0 ? (float)((1.0 - problem->alpha) / divisor) : 0.0f;
  if (!problem->warm) {
    memset(plan->u, 0, plan->n * sizeof *plan->u);
    column_step_in_log(plan);
  }
  build(plan);
}

void burl_pradot_plan_solve(burl_pradot_plan *plan, const burl_pradot_problem *problem,
                            burl_pradot_plan_info *info) {
  *info = (burl_pradot_plan_info){0};
  take_problem(plan, problem);
  start(plan, info);
  for (info->sweeps = 1;; info->sweeps++) {
    rows(plan);
    list_rows(plan);
    info->residual = residual(plan);
    int look = problem->tolerance > 0.0 && (info->sweeps - 1) % LOOK_EVERY == 0;
    if (info->sweeps == problem->sweeps || (look && info->residual < problem->tolerance)) break;
    info->rebuilds += (size_t)columns(plan);
  }
  for (size_t b = 0; b < burl_pradot_count_blocks(plan->n); b++)
    info->listed += plan->is_listed[b] ? burl_pradot_rows_of(plan, b) : 0;
  for (size_t j = 0; j < plan->k; j++)
    plan->gamma_exact[j] += log((double)plan->y[j]); /* for a warm start */
}
