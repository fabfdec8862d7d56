/* Shortest augmenting paths with dual potentials, rows being no more than columns (else the cost is
 * transposed first).
 *
 * Throughout, the reduced costs C_ij - u_i - v_j of rows that have a column are >= 0, and 0 for the
 * pairs of the assignment; v_j is 0 for columns still free and never rises. Two stages:
 *   1. Bidding (augmenting row reduction of Jonker and Volgenant). A row takes its cheapest column,
 *      whose v falls by what the second cheapest is dearer; a row that had the column bids again.
 *      A bounded number of bids, after which most rows have a column.
 *   2. For each row left, Dijkstra over the columns on reduced costs: the column nearest to what
 *      the search has reached is closed, and its row searched on, until a free column is met. Then
 * u and v are moved such that the path has reduced cost 0, and the pairs along it are exchanged.
 * Column reduction, with which Jonker and Volgenant begin, is not valid where columns are left
 * over.
 *
 * A closed column has v = -inf in the working copy of v, so that its distance is +inf and it is
 * never entered again: the loop over the columns has no branches. All choices go by value and
 * index, the lowest free column first.
 */
#include "base/memory.h"
#include "num/simd.h"
#include <burl/transport_assignment.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_COST 1e300
#define BIDS_EACH 4
#define NONE BURL_ASSIGNMENT_NONE
#define LANES 16

struct burl_assignment {
  burl_arena arena;
  size_t n, m;
  double *flipped;           /* n x m: the transpose where there are more rows than columns */
  double *u, *v;             /* both of length max(n,m) as are all the others */
  double *v_open, *distance; /* v and distance of columns still open, else -inf and +inf */
  double *closed_at;         /* distance at which a column was closed */
  int64_t *from;             /* row from which the distance is */
  size_t *column, *row;      /* the assignment both ways, NONE: free */
  size_t *closed;            /* columns closed, in order */
};

/* The problem with rows <= columns. */
typedef struct assignment_view {
  const double *C;
  size_t ld, rows, columns;
} assignment_view;

static void *claim_vector(burl_arena *arena, int take, size_t count, size_t size) {
  if (take) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out_assignment(burl_assignment *self, int take, size_t entries) {
  burl_arena *arena = &self->arena;
  size_t side = self->n > self->m ? self->n : self->m;
  self->flipped = claim_vector(arena, take, entries, sizeof(double));
  double **doubles[] = {&self->u, &self->v, &self->v_open, &self->distance, &self->closed_at};
  for (size_t k = 0; k < sizeof doubles / sizeof *doubles; k++)
    *doubles[k] = claim_vector(arena, take, side, sizeof(double));
  self->from = claim_vector(arena, take, side, sizeof(int64_t));
  size_t **indices[] = {&self->column, &self->row, &self->closed};
  for (size_t k = 0; k < sizeof indices / sizeof *indices; k++)
    *indices[k] = claim_vector(arena, take, side, sizeof(size_t));
}

burl_status burl_assignment_new(burl_assignment **self, size_t n, size_t m) {
  size_t entries;
  if (n == 0 || m == 0) return BURL_ERR_ARGUMENT;
  if (!burl_size_mul(&entries, n, m) || entries > SIZE_MAX / sizeof(double)) return BURL_ERR_SIZE;
  burl_assignment *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n = n;
  made->m = m;
  lay_out_assignment(made, 0, entries);
  if (!burl_arena_open(&made->arena)) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  lay_out_assignment(made, 1, entries);
  *self = made;
  return BURL_OK;
}

void burl_assignment_free(burl_assignment *self) {
  if (!self) return;
  burl_arena_close(&self->arena);
  free(self);
}

static burl_status check_entries(const double *C, size_t ldc, size_t n, size_t m) {
  int too_large = 0, broken = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      double c = C[i * ldc + j];
      broken |= !(c >= -(double)INFINITY) || c == -(double)INFINITY;
      too_large |= fabs(c) > LARGEST_COST && c < (double)INFINITY;
    }
  return broken ? BURL_ERR_NUMERIC : too_large ? BURL_ERR_ARGUMENT : BURL_OK;
}

static assignment_view look_at(burl_assignment *self, const double *C, size_t ldc, size_t n,
                               size_t m) {
  if (n <= m) return (assignment_view){C, ldc, n, m};
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      self->flipped[j * n + i] = C[i * ldc + j];
  return (assignment_view){self->flipped, n, m, n};
}

BURL_INLINE double fold_least(const double lane[LANES]) {
  double least = lane[0];
  for (int l = 1; l < LANES; l++)
    least = lane[l] < least ? lane[l] : least;
  return least;
}

BURL_CLONES
static double least_value(const double *restrict x, size_t count) {
  double lane[LANES];
  for (int l = 0; l < LANES; l++)
    lane[l] = (double)INFINITY;
  size_t whole = count - count % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++)
      lane[l] = x[j + l] < lane[l] ? x[j + l] : lane[l];
  for (size_t j = whole; j < count; j++)
    lane[0] = x[j] < lane[0] ? x[j] : lane[0];
  return fold_least(lane);
}

/* Lowest place from `first` on that holds value; count if there is none. */
BURL_CLONES
static size_t place_of(const double *restrict x, double value, size_t first, size_t count) {
  size_t j = first;
  for (; j + LANES <= count; j += LANES) {
    int64_t hits = 0;
    for (size_t l = 0; l < LANES; l++)
      hits |= -(int64_t)(x[j + l] == value);
    if (hits) break;
  }
  while (j < count && x[j] != value)
    j++;
  return j;
}

BURL_CLONES
static void reduce_row(double *restrict reduced, const double *restrict c, const double *restrict v,
                       size_t count) {
  for (size_t j = 0; j < count; j++)
    reduced[j] = c[j] - v[j];
}

/* Distances by way of row i: at + (C_ij - v_j), `at` having u_i in it. Gives the least of all. */
BURL_CLONES
static double relax(double *restrict distance, int64_t *restrict from, const double *restrict c,
                    const double *restrict v_open, double at, int64_t i, size_t count) {
  double lane[LANES];
  for (int l = 0; l < LANES; l++)
    lane[l] = (double)INFINITY;
  size_t whole = count - count % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++) {
      double by_row = at + (c[j + l] - v_open[j + l]), before = distance[j + l];
      int nearer = by_row < before;
      double now = nearer ? by_row : before;
      from[j + l] = nearer ? i : from[j + l];
      distance[j + l] = now;
      lane[l] = now < lane[l] ? now : lane[l];
    }
  for (size_t j = whole; j < count; j++) {
    double by_row = at + (c[j] - v_open[j]);
    from[j] = by_row < distance[j] ? i : from[j];
    distance[j] = by_row < distance[j] ? by_row : distance[j];
    lane[0] = distance[j] < lane[0] ? distance[j] : lane[0];
  }
  return fold_least(lane);
}

/* The lowest free column at the least value, else the lowest at it. */
static size_t choose(const burl_assignment *self, const double *values, double least,
                     size_t count) {
  size_t first = place_of(values, least, 0, count), j = first;
  while (j < count && self->row[j] != NONE)
    j = place_of(values, least, j + 1, count);
  return j < count ? j : first;
}

/* One bid of row i. Gives the row that lost its column, NONE if none did. */
static size_t bid(burl_assignment *self, const assignment_view *view, size_t i) {
  double *reduced = self->distance;
  reduce_row(reduced, view->C + i * view->ld, self->v, view->columns);
  double least = least_value(reduced, view->columns);
  if (isinf(least)) return NONE;
  size_t j = choose(self, reduced, least, view->columns), loser = self->row[j];
  reduced[j] = (double)INFINITY;
  double second = least_value(reduced, view->columns);
  /* A column that is this row's only one, or one in a tie with another, is not fought over. */
  if (loser != NONE && (isinf(second) || second <= least)) return NONE;
  if (loser != NONE) {
    self->v[j] -= second - least;
    self->u[i] = second;
    self->column[loser] = NONE;
  } else {
    self->u[i] = least;
  }
  self->column[i] = j;
  self->row[j] = i;
  return loser;
}

static void bid_for_columns(burl_assignment *self, const assignment_view *view) {
  size_t left = BIDS_EACH * view->rows;
  for (size_t i = 0; i < view->rows; i++)
    for (size_t next = i; next != NONE && left > 0; left--)
      next = bid(self, view, next);
}

/* Closes columns from row `start` on until a free one is the nearest, which it gives with its
 * distance; NONE where none can be reached. */
static size_t search_column(burl_assignment *self, const assignment_view *view, size_t start,
                            size_t *closed, double *reached) {
  size_t m = view->columns, i = start;
  memcpy(self->v_open, self->v, m * sizeof(double));
  for (size_t j = 0; j < m; j++)
    self->distance[j] = (double)INFINITY;
  *closed = 0;
  *reached = 0.0;
  for (double u = 0.0;; u = self->u[i]) {
    double least = relax(self->distance, self->from, view->C + i * view->ld, self->v_open,
                         *reached - u, (int64_t)i, m);
    if (isinf(least)) return NONE;
    size_t j = choose(self, self->distance, least, m);
    /* rounding must not let distances fall: what was closed stays nearest */
    *reached = least > *reached || *closed == 0 ? least : *reached;
    if (self->row[j] == NONE) return j;
    self->closed_at[j] = *reached;
    self->distance[j] = (double)INFINITY;
    self->v_open[j] = -(double)INFINITY;
    self->closed[(*closed)++] = j;
    i = self->row[j];
  }
}

/* A column for row `start` by the shortest augmenting path; 0 if there is none. */
static int augment(burl_assignment *self, const assignment_view *view, size_t start) {
  size_t closed, i;
  double reached;
  size_t j = search_column(self, view, start, &closed, &reached);
  if (j == NONE) return 0;
  self->u[start] = reached;
  for (size_t k = 0; k < closed; k++) {
    size_t at = self->closed[k];
    self->u[self->row[at]] += reached - self->closed_at[at];
    self->v[at] -= reached - self->closed_at[at];
  }
  do {
    i = (size_t)self->from[j];
    self->row[j] = i;
    size_t passed_on = self->column[i];
    self->column[i] = j;
    j = passed_on;
  } while (i != start);
  return 1;
}

static burl_status assign_rows(burl_assignment *self, const assignment_view *view) {
  for (size_t i = 0; i < view->rows; i++)
    self->column[i] = NONE;
  for (size_t j = 0; j < view->columns; j++) {
    self->row[j] = NONE;
    self->v[j] = 0.0;
  }
  bid_for_columns(self, view);
  for (size_t i = 0; i < view->rows; i++)
    if (self->column[i] == NONE && !augment(self, view, i)) return BURL_ERR_DATA;
  /* u once more from its pair, so that equality there is as exact as can be */
  for (size_t i = 0; i < view->rows; i++)
    self->u[i] = view->C[i * view->ld + self->column[i]] - self->v[self->column[i]];
  return BURL_OK;
}

burl_status burl_assignment_solve(burl_assignment *self, size_t *column, double *total, double *u,
                                  double *v, const double *C, size_t ldc, size_t n, size_t m) {
  if (n == 0 || m == 0 || ldc < m) return BURL_ERR_ARGUMENT;
  if (n > self->n || m > self->m) return BURL_ERR_SIZE;
  burl_status status = check_entries(C, ldc, n, m);
  if (status) return status;
  assignment_view view = look_at(self, C, ldc, n, m);
  status = assign_rows(self, &view);
  if (status) return status;
  int flipped = n > m;
  memcpy(column, flipped ? self->row : self->column, n * sizeof *column);
  if (u) memcpy(u, flipped ? self->v : self->u, n * sizeof *u);
  if (v) memcpy(v, flipped ? self->u : self->v, m * sizeof *v);
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    if (column[i] != NONE) sum += C[i * ldc + column[i]];
  if (total) *total = sum;
  return BURL_OK;
}
