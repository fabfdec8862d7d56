/* Fitting Gaussians: one for all patches, or one for each of G x G cells of places or phases.
 *
 * A cell's mean and covariance come from its own n_c patches, helped by all others where these are
 * few. With m_c, S_c the mean and covariance of a cell's patches, mu the mean of all, S_W the
 * covariance within cells (mean of the S_c), S_B that of the m_c, both weighted by n_c, and m the
 * dimensions compared:
 *     mean_c = (n_c m_c + mu) / (n_c + 1)
 *     A_c    = (n_c S_c + 2 m S_W) / (n_c + 2 m) + S_B / (n_c + 1)
 *     cov_c  = A_c + shrinkage tr(A_c)/m I
 * A cell without patches has the mean and covariance of all. docs/math/baselines.md says why these.
 */
#include "prototype/gaussian.h"

#include "base/memory.h"
#include "base/random.h"
#include "num/eigen.h"
#include "num/solve.h"
#include "prototype/baselines.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  STREAM_DIMENSIONS = 3,
  FILL = 20, /* patches a cell and dimension in the mean */
  PRIOR = 2  /* the weight of S_W in patches a dimension */
};

typedef struct gaussian_fit {
  burl_arena arena;
  burl_gaussian *bank;
  const float *patches;      /* (n,d) */
  size_t n, d, m, most;      /* most: patches of the fullest cell */
  size_t *first;             /* (cells+1) where the patches of each cell begin in `order` */
  size_t *order;             /* (n) patches cell by cell */
  double *centred;           /* (most,m) a cell's patches less their mean */
  double *mean;              /* (cells,d) m_c */
  double *all;               /* (d) mu */
  double *within, *between;  /* (m,m) S_W, S_B; upper triangles, as of the next two */
  double *covariance, *gram; /* (m,m) */
  double *values, *vectors;  /* (m), (m,m) */
} gaussian_fit;

static void *request_fit(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out_fit(gaussian_fit *s) {
  size_t m = s->m, cells = s->bank->base.count;
  s->centred = request_fit(&s->arena, s->most * m, sizeof(double));
  s->mean = request_fit(&s->arena, cells * s->d, sizeof(double));
  s->all = request_fit(&s->arena, s->d, sizeof(double));
  s->within = request_fit(&s->arena, m * m, sizeof(double));
  s->between = request_fit(&s->arena, m * m, sizeof(double));
  s->covariance = request_fit(&s->arena, m * m, sizeof(double));
  s->gram = request_fit(&s->arena, m * m, sizeof(double));
  s->values = request_fit(&s->arena, m, sizeof(double));
  s->vectors = request_fit(&s->arena, m * m, sizeof(double));
}

/* The largest G whose cells have FILL patches a dimension in the mean. */
static size_t choose_side(size_t n, size_t m, burl_spatial spatial) {
  size_t side = 1;
  while (spatial != BURL_SPATIAL_NONE && side < BURL_GAUSSIAN_SIDE &&
         (side + 1) * (side + 1) * FILL * m <= n)
    side++;
  return side;
}

/* dims: m of d, every choice as likely (selection sampling). */
static void choose_dimensions(burl_gaussian *bank, uint64_t seed) {
  burl_random random = burl_random_start(seed, STREAM_DIMENSIONS);
  size_t d = bank->base.dim, made = 0;
  for (size_t t = 0; made < bank->m; t++)
    if (burl_random_below(&random, d - t) < bank->m - made) bank->dims[made++] = (uint32_t)t;
}

/* Sorts patches by cell, keeping their order. */
static void sort_by_cell(gaussian_fit *s, const float *positions) {
  size_t cells = s->bank->base.count;
  memset(s->first, 0, (cells + 1) * sizeof *s->first);
  for (size_t i = 0; i < s->n; i++)
    s->first[burl_gaussian_find_cell(s->bank, positions, i) + 1]++;
  for (size_t c = 0; c < cells; c++) {
    if (s->first[c + 1] > s->most) s->most = s->first[c + 1];
    s->first[c + 1] += s->first[c];
  }
  for (size_t i = 0; i < s->n; i++)
    s->order[s->first[burl_gaussian_find_cell(s->bank, positions, i)]++] = i;
  memmove(s->first + 1, s->first, cells * sizeof *s->first); /* each stands at its cell's end */
  s->first[0] = 0;
}

static void find_means(gaussian_fit *s) {
  size_t cells = s->bank->base.count, d = s->d;
  memset(s->mean, 0, cells * d * sizeof *s->mean);
  memset(s->all, 0, d * sizeof *s->all);
  for (size_t c = 0; c < cells; c++) {
    double *mean = s->mean + c * d;
    size_t count = s->first[c + 1] - s->first[c];
    for (size_t i = s->first[c]; i < s->first[c + 1]; i++)
      for (size_t t = 0; t < d; t++)
        mean[t] += (double)s->patches[s->order[i] * d + t];
    for (size_t t = 0; t < d; t++) {
      s->all[t] += mean[t] / (double)s->n;
      if (count > 0) mean[t] /= (double)count;
    }
  }
}

/* gram = n_c S_c. */
static burl_status find_scatter(gaussian_fit *s, size_t c) {
  size_t m = s->m, count = s->first[c + 1] - s->first[c];
  const uint32_t *dims = s->bank->dims;
  for (size_t i = 0; i < count; i++) {
    const float *x = s->patches + s->order[s->first[c] + i] * s->d;
    for (size_t t = 0; t < m; t++)
      s->centred[i * m + t] = (double)x[dims[t]] - s->mean[c * s->d + dims[t]];
  }
  return burl_num_gram(s->gram, s->centred, count, m, 1);
}

static burl_status pool_cells(gaussian_fit *s) {
  size_t m = s->m;
  const uint32_t *dims = s->bank->dims;
  memset(s->within, 0, m * m * sizeof *s->within);
  memset(s->between, 0, m * m * sizeof *s->between);
  for (size_t c = 0; c < s->bank->base.count; c++) {
    double share = (double)(s->first[c + 1] - s->first[c]) / (double)s->n;
    if (!(share > 0.0)) continue;
    burl_status status = find_scatter(s, c);
    if (status != BURL_OK) return status;
    const double *mean = s->mean + c * s->d;
    for (size_t i = 0; i < m; i++)
      for (size_t j = i; j < m; j++) {
        s->within[i * m + j] += s->gram[i * m + j] / (double)s->n;
        s->between[i * m + j] +=
            share * (mean[dims[i]] - s->all[dims[i]]) * (mean[dims[j]] - s->all[dims[j]]);
      }
  }
  return BURL_OK;
}

/* covariance = A_c, and the mean and middle of the cell into the bank. */
static burl_status find_gaussian(gaussian_fit *s, size_t c) {
  burl_bank *bank = &s->bank->base;
  size_t m = s->m, d = s->d, side = s->bank->side;
  double count = (double)(s->first[c + 1] - s->first[c]), prior = (double)(PRIOR * m);
  burl_status status = find_scatter(s, c);
  for (size_t i = 0; i < m && status == BURL_OK; i++)
    for (size_t j = i; j < m; j++) {
      s->covariance[i * m + j] =
          (s->gram[i * m + j] + prior * s->within[i * m + j]) / (count + prior) +
          s->between[i * m + j] / (count + 1.0);
    }
  for (size_t t = 0; t < d; t++)
    bank->prototypes[c * d + t] = (float)((count * s->mean[c * d + t] + s->all[t]) / (count + 1.0));
  if (bank->positions) {
    bank->positions[2 * c] = ((float)(c / side) + 0.5f) / (float)side;
    bank->positions[2 * c + 1] = ((float)(c % side) + 0.5f) / (float)side;
  }
  return status;
}

/* W = (A_c + shrinkage tr/m I)^(-1/2). Where patches are equal, the rounding of a float stands for
 * their variance. */
static burl_status find_whitening(gaussian_fit *s, size_t c, double shrinkage) {
  size_t m = s->m;
  burl_status status = burl_num_symmetric_eigen(s->values, s->vectors, s->covariance, m);
  if (status != BURL_OK) return status;
  double level = 0.0, size = 0.0;
  for (size_t t = 0; t < m; t++) {
    double mean = (double)s->bank->base.prototypes[c * s->d + s->bank->dims[t]];
    level += s->values[t] / (double)m;
    size += mean * mean / (double)m;
  }
  level = fmax(level, fmax((double)FLT_EPSILON * (double)FLT_EPSILON * size, (double)FLT_MIN));
  for (size_t i = 0; i < m; i++) {
    double root = sqrt(sqrt(s->values[i] + shrinkage * level));
    for (size_t t = 0; t < m; t++)
      s->vectors[i * m + t] /= root;
  }
  status = burl_num_gram(s->gram, s->vectors, m, m, 1);
  float *whiten = s->bank->whiten + c * m * m;
  for (size_t i = 0; i < m && status == BURL_OK; i++)
    for (size_t j = i; j < m; j++)
      whiten[i * m + j] = whiten[j * m + i] = (float)s->gram[i * m + j];
  return status;
}

static burl_status fit_cells(gaussian_fit *s, double shrinkage) {
  find_means(s);
  burl_status status = pool_cells(s);
  for (size_t c = 0; c < s->bank->base.count && status == BURL_OK; c++) {
    status = find_gaussian(s, c);
    if (status == BURL_OK) status = find_whitening(s, c, shrinkage);
  }
  return status;
}

/* The lists of cells first: they say how much memory the rest takes. */
static burl_status fit_all(gaussian_fit *s, const float *positions, double shrinkage) {
  burl_arena lists = {0};
  size_t cells = s->bank->base.count;
  burl_arena_reserve(&lists, cells + 1, sizeof *s->first);
  burl_arena_reserve(&lists, s->n, sizeof *s->order);
  if (!burl_arena_open(&lists)) return BURL_ERR_MEMORY;
  s->first = burl_arena_take(&lists, cells + 1, sizeof *s->first);
  s->order = burl_arena_take(&lists, s->n, sizeof *s->order);
  sort_by_cell(s, positions);
  lay_out_fit(s);
  burl_status status = burl_arena_open(&s->arena) ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    lay_out_fit(s);
    status = fit_cells(s, shrinkage);
    burl_arena_close(&s->arena);
  }
  burl_arena_close(&lists);
  return status;
}

burl_status burl_gaussian_fit(burl_bank **bank, const float *patches, const float *positions,
                              size_t n, size_t d, const burl_bank_options *options) {
  size_t m = d < BURL_GAUSSIAN_DIMENSIONS ? d : BURL_GAUSSIAN_DIMENSIONS;
  burl_gaussian *made;
  burl_status status =
      burl_gaussian_new(&made, choose_side(n, m, options->spatial), d, options->spatial);
  if (status != BURL_OK) return status;
  choose_dimensions(made, options->seed);
  gaussian_fit fit = {.bank = made, .patches = patches, .n = n, .d = d, .m = m};
  status = fit_all(&fit, positions, options->shrinkage);
  if (status == BURL_OK) {
    burl_gaussian_finish(made);
    status = burl_bank_measure(&made->base, patches, positions, n);
  }
  if (status != BURL_OK) {
    burl_bank_free(&made->base);
    return status;
  }
  *bank = &made->base;
  return BURL_OK;
}
