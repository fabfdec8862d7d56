/* Costs as weighted sums of terms: checks, maxima, rows.
 *
 * A term's raw values are of the order of 1 or of its places' size; its factor, formed in double,
 * holds weight, normaliser and unit. The first term is computed where the sum is wanted, the others
 * beside it. Costs that could overflow float are refused when the object is made, so that rows
 * never hold anything but finite numbers. */
#include "base/memory.h"
#include "num/magnitude.h"
#include "num/simd.h"
#include "transport/cost_parts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct cost_term {
  burl_cost_kind kind;
  double power;
  double factor; /* C gets factor times the raw value */
  double bound;  /* at least the largest raw value */
  double max;    /* of T, NaN where not asked for */
  burl_cost_points points;
  burl_cost_places places;
} cost_term;

struct burl_cost {
  size_t n, m, count;
  double bound;
  cost_term terms[BURL_COST_MAX_TERMS];
  float *beside; /* BURL_COST_BLOCK x m: a term */
  float *whole;  /* BURL_COST_BLOCK x m: a block of which a part is wanted */
};

static int is_of_points(burl_cost_kind kind) {
  return kind == BURL_COST_SQUARED || kind == BURL_COST_POWER || kind == BURL_COST_COSINE;
}

static size_t rows_of_block(const burl_cost *cost, size_t first) {
  return cost->n - first < BURL_COST_BLOCK ? cost->n - first : BURL_COST_BLOCK;
}

BURL_CLONES static void square_root_row(float *row, size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] = __builtin_sqrtf(row[j]);
}

BURL_CLONES static void square_row(float *row, size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] *= row[j];
}

/* Squared distances to distances to the power. */
static void raise_row(float *row, size_t m, double power) {
  if (power == 2.0) return;
  if (power == 1.0)
    square_root_row(row, m);
  else if (power == 4.0)
    square_row(row, m);
  else
    for (size_t j = 0; j < m; j++)
      row[j] = (float)pow((double)row[j], 0.5 * power);
}

/* Raw values of one block. */
static void term_rows(cost_term *term, float *block, size_t ld, size_t first, size_t count,
                      size_t m) {
  if (!is_of_points(term->kind)) {
    burl_cost_places_rows(&term->places, block, ld, first, count);
    return;
  }
  burl_cost_points_rows(&term->points, block, ld, first, count);
  if (term->kind == BURL_COST_POWER)
    for (size_t i = 0; i < count; i++)
      raise_row(block + i * ld, m, term->power);
}

BURL_CLONES static void scale_row(float *row, float factor, size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] *= factor;
}

BURL_CLONES
static void add_scaled_row(float *restrict row, const float *restrict other, float factor,
                           size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] += factor * other[j];
}

void burl_cost_whole_block(burl_cost *cost, float *block, size_t ld, size_t first) {
  size_t m = cost->m, count = rows_of_block(cost, first);
  for (size_t t = 0; t < cost->count; t++) {
    cost_term *term = &cost->terms[t];
    float *to = t == 0 ? block : cost->beside, factor = (float)term->factor;
    size_t ld_to = t == 0 ? ld : m;
    term_rows(term, to, ld_to, first, count, m);
    for (size_t i = 0; i < count; i++)
      if (t == 0)
        scale_row(block + i * ld, factor, m);
      else
        add_scaled_row(block + i * ld, to + i * m, factor, m);
  }
}

const float *burl_cost_scratch_block(burl_cost *cost, size_t first) {
  burl_cost_whole_block(cost, cost->whole, cost->m, first);
  return cost->whole;
}

static burl_status check_term(const burl_cost_term *term, const float *X, const float *Y,
                              size_t d) {
  if (!isfinite(term->weight) || !isfinite(term->constant) || term->constant < 0.0)
    return BURL_ERR_ARGUMENT;
  switch (term->kind) {
  case BURL_COST_POWER:
    if (!isfinite(term->power) || term->power <= 0.0) return BURL_ERR_ARGUMENT;
    break;
  case BURL_COST_SQUARED:
  case BURL_COST_COSINE:
    break;
  case BURL_COST_PLACE:
  case BURL_COST_PERIODIC:
    return BURL_OK;
  default:
    return BURL_ERR_ARGUMENT;
  }
  if (term->form != BURL_COST_AUTO && term->form != BURL_COST_DIFFERENCES &&
      term->form != BURL_COST_PRODUCT)
    return BURL_ERR_ARGUMENT;
  return X && Y && d > 0 ? BURL_OK : BURL_ERR_ARGUMENT;
}

/* Largest raw value of the whole matrix. */
static double find_max(burl_cost *cost, cost_term *term) {
  float largest = 0.0f;
  for (size_t first = 0; first < cost->n; first += BURL_COST_BLOCK) {
    size_t count = rows_of_block(cost, first);
    term_rows(term, cost->whole, cost->m, first, count, cost->m);
    float here = burl_num_magnitude_float(cost->whole, count * cost->m);
    largest = here > largest ? here : largest;
  }
  return (double)largest;
}

/* Bound and factor; raw values come in units of `unit`. */
static burl_status scale_term(burl_cost *cost, cost_term *term, const burl_cost_term *wanted) {
  double unit = 1.0;
  if (!is_of_points(term->kind)) {
    term->bound = burl_cost_places_bound(&term->places, cost->n);
  } else if (term->kind == BURL_COST_COSINE) {
    term->bound = 2.0;
  } else {
    double power = term->kind == BURL_COST_POWER ? term->power : 2.0;
    unit = pow(term->points.unit, power);
    term->bound = pow(4.01 * (double)term->points.d, 0.5 * power); /* coordinates are below 1 */
  }
  if (!(term->bound <= (double)FLT_MAX)) return BURL_ERR_NUMERIC;
  double constant = wanted->constant > 0.0 ? wanted->constant : 1.0;
  term->factor = wanted->weight * (unit / constant);
  if (wanted->over_max) {
    term->bound = find_max(cost, term);
    term->max = term->bound * unit;
    term->factor = term->bound > 0.0 ? wanted->weight / term->bound : 0.0;
  }
  cost->bound += 1.001 * fabs(term->factor) * term->bound;
  return cost->bound <= (double)FLT_MAX && fabs(term->factor) <= (double)FLT_MAX ? BURL_OK
                                                                                 : BURL_ERR_NUMERIC;
}

static burl_status make_term(burl_cost *cost, const burl_cost_term *wanted, const float *X,
                             const float *Y, size_t d) {
  cost_term *term = &cost->terms[cost->count++];
  *term = (cost_term){.kind = wanted->kind, .power = wanted->power, .max = (double)NAN};
  burl_status status = is_of_points(wanted->kind)
                           ? burl_cost_points_new(&term->points, wanted->kind == BURL_COST_COSINE,
                                                  wanted->form, X, cost->n, Y, cost->m, d)
                           : burl_cost_places_new(&term->places, wanted, cost->n, cost->m);
  return status ? status : scale_term(cost, term, wanted);
}

static burl_status make_terms(burl_cost *cost, const burl_cost_term *terms, size_t count,
                              const float *X, const float *Y, size_t d) {
  cost->whole = burl_alloc(cost->m, BURL_COST_BLOCK * sizeof(float));
  cost->beside = burl_alloc(count > 1 ? cost->m : 0, BURL_COST_BLOCK * sizeof(float));
  if (!cost->whole || !cost->beside) return BURL_ERR_MEMORY;
  for (size_t t = 0; t < count; t++) {
    burl_status status = make_term(cost, terms + t, X, Y, d);
    if (status) return status;
  }
  return BURL_OK;
}

static burl_status check_points(const float *points, size_t count, size_t d) {
  size_t size, bytes;
  if (!burl_size_mul(&size, count, d) || !burl_size_mul(&bytes, size, sizeof(double)))
    return BURL_ERR_SIZE;
  return isfinite(burl_num_magnitude_float(points, size)) ? BURL_OK : BURL_ERR_NUMERIC;
}

static burl_status check_all(const burl_cost_term *terms, size_t count, const float *X, size_t n,
                             const float *Y, size_t m, size_t d) {
  if (!terms || count == 0 || count > BURL_COST_MAX_TERMS || n == 0 || m == 0)
    return BURL_ERR_ARGUMENT;
  if (n > SIZE_MAX / 32 || m > SIZE_MAX / 32 / BURL_COST_BLOCK) return BURL_ERR_SIZE;
  int points = 0;
  for (size_t t = 0; t < count; t++) {
    burl_status status = check_term(terms + t, X, Y, d);
    if (status) return status;
    points |= is_of_points(terms[t].kind);
  }
  burl_status status = points ? check_points(X, n, d) : BURL_OK;
  return !status && points ? check_points(Y, m, d) : status;
}

burl_status burl_cost_new(burl_cost **cost, const burl_cost_term *terms, size_t count,
                          const float *X, size_t n, const float *Y, size_t m, size_t d) {
  burl_status status = check_all(terms, count, X, n, Y, m, d);
  if (status) return status;
  burl_cost *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n = n;
  made->m = m;
  status = make_terms(made, terms, count, X, Y, d);
  if (status)
    burl_cost_free(made);
  else
    *cost = made;
  return status;
}

void burl_cost_free(burl_cost *cost) {
  if (!cost) return;
  for (size_t t = 0; t < cost->count; t++)
    if (is_of_points(cost->terms[t].kind))
      burl_cost_points_free(&cost->terms[t].points);
    else
      burl_cost_places_free(&cost->terms[t].places);
  free(cost->beside);
  free(cost->whole);
  free(cost);
}

size_t burl_cost_get_n(const burl_cost *cost) {
  return cost->n;
}

size_t burl_cost_get_m(const burl_cost *cost) {
  return cost->m;
}

double burl_cost_get_max(const burl_cost *cost, size_t term) {
  return term < cost->count ? cost->terms[term].max : (double)NAN;
}

double burl_cost_get_bound(const burl_cost *cost) {
  return cost->bound;
}
