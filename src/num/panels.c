/* Nearest points in many dimensions. With x' = x - c and p' = p - c, c a mean of points,
 *
 *   |x-p|^2 - |x'|^2 = |p'|^2 - 2 <x',p'> = s
 *
 * is formed by products, at the rate of a matrix product (num/dot_tile.h), and tiles are looked
 * through while they are in registers: nothing of size (n,k) is written. The products cancel where
 * patches lie close to points, and kernels differ in the last bits. Neither reaches the result: a
 * row's candidates are all points whose s lies within `slack` of the least, and among them the
 * distances by differences, burl_square_of, decide. slack bounds what rounding can do. With
 * X = |x'|, R = radius >= |p'| and u = 2^-24, s is off by at most
 *
 *   2 (d+1) u X R      the product [Higham, Accuracy and Stability, ch. 3],
 *   2 u (X+R)^2        |p'|^2 and the subtraction,
 *   2 u (X+R)^2        x' and p' themselves being rounded,
 *
 * two values of s at most by twice that against each other, and the differences by
 * 2 (d/16 + 8) u (X+R)^2; the rest of the 30 is for the limit itself and for u^2. So the first
 * point at the least distance by differences is always among the candidates. In practice there are
 * one or two of them. Where squares might overflow (X + R above 1e18) all points are candidates. */
#include "num/panels.h"

#include "num/simd.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SCRATCH 64512 /* floats of interleaved rows: 42 rows of 1,536 dimensions */
#define MOST_ROWS 112
#define CANDIDATES 8
#define NEAR (1.0f / 32.0f)
#define UNIT (1.0 / 16777216.0)

typedef struct candidates {
  const float *x;
  size_t row;   /* where the result goes */
  double slack; /* negative: products would overflow, all points are candidates */
  float square; /* |x'|^2 */
  float least;  /* by differences, so far */
  uint32_t at;
  int found; /* whether `at` holds */
  size_t count;
  uint32_t point[CANDIDATES]; /* rising */
  float s[CANDIDATES];
} candidates;

typedef struct block {
  const burl_tile_kernel *kernel;
  const burl_panels *points;
  size_t rows, padded; /* rows of the block, and with what fills up the last tile */
  float limit[MOST_ROWS];
  candidates row[MOST_ROWS];
  float x[SCRATCH];
} block;

BURL_CLONES
static float square_of_lanes(const float *restrict x, const float *restrict p, size_t d) {
  burl_lanes s0 = {0}, s1 = {0};
  size_t t = 0;
  for (; t + 2 * BURL_LANES <= d; t += 2 * BURL_LANES) {
    burl_lanes d0 = *(const burl_lanes *)(x + t) - *(const burl_lanes *)(p + t);
    burl_lanes d1 =
        *(const burl_lanes *)(x + t + BURL_LANES) - *(const burl_lanes *)(p + t + BURL_LANES);
    s0 += d0 * d0;
    s1 += d1 * d1;
  }
  for (int l = 0; t < d; t++, l++) {
    float gap = x[t] - p[t];
    if (l < BURL_LANES)
      s0[l] += gap * gap;
    else
      s1[l - BURL_LANES] += gap * gap;
  }
  s0 += s1;
  float a = s0[0] + s0[4], b = s0[1] + s0[5], c = s0[2] + s0[6], e = s0[3] + s0[7];
  return (a + c) + (b + e);
}

float burl_square_of(const float *x, const float *p, size_t d) {
  return square_of_lanes(x, p, d);
}

/* A length of which the square was summed in any order, in float at worst, rounded up. What falls
 * below the least float may be missing from the square. */
static float length_above(double square) {
  return (float)(sqrt(square) * 1.001 + 1e-19);
}

float burl_panel_put(float *panels, float *squares, size_t j, const float *point,
                     const float *centre, size_t d) {
  float *lane = panels + j / BURL_PANEL * BURL_PANEL * d + j % BURL_PANEL;
  double square = 0.0;
  for (size_t t = 0; t < d; t++) {
    float v = point[t] - centre[t];
    lane[t * BURL_PANEL] = v;
    square += (double)v * (double)v;
  }
  squares[j] = (float)square;
  return square < DBL_MAX ? length_above(square) : INFINITY;
}

void burl_panel_clear(float *panels, float *squares, size_t panel, size_t d) {
  memset(panels + panel * BURL_PANEL * d, 0, BURL_PANEL * d * sizeof *panels);
  for (size_t l = 0; l < BURL_PANEL; l++)
    squares[panel * BURL_PANEL + l] = INFINITY;
}

void burl_panel_centre(float *centre, const float *points, size_t n, size_t d) {
  enum { STRIP = 16 };
  for (size_t t = 0; t < d; t += STRIP) {
    double sum[STRIP] = {0};
    size_t m = d - t < STRIP ? d - t : STRIP;
    for (size_t i = 0; i < n; i++)
      for (size_t l = 0; l < m; l++)
        sum[l] += (double)points[i * d + t + l];
    for (size_t l = 0; l < m; l++)
      centre[t + l] = (float)(sum[l] / (double)n);
  }
}

/* `count` rows less the centre, interleaved as a tile of `stride` rows, and their squares. All rows
 * advance together, since what they are written to lies together. */
BURL_CLONES
static void interleave(float *restrict to, float *restrict squares, size_t stride, size_t count,
                       const float *const *x, const float *restrict centre, size_t d) {
  burl_lanes sum[BURL_TILE_MOST_ROWS] = {{0}};
  size_t t = 0;
  for (; t + BURL_LANES <= d; t += BURL_LANES) {
    burl_lanes middle = *(const burl_lanes *)(centre + t);
    for (size_t r = 0; r < count; r++) {
      burl_lanes v = *(const burl_lanes *)(x[r] + t) - middle;
      sum[r] += v * v;
      for (size_t l = 0; l < BURL_LANES; l++)
        to[(t + l) * stride + r] = v[l];
    }
  }
  for (int l = 0; t < d; t++, l++)
    for (size_t r = 0; r < count; r++) {
      float v = x[r][t] - centre[t];
      sum[r][l] += v * v;
      to[t * stride + r] = v;
    }
  for (size_t r = 0; r < count; r++) {
    squares[r] = 0.0f;
    for (int l = 0; l < BURL_LANES; l++)
      squares[r] += sum[r][l];
  }
}

/* Zeros in the place of a row, which no point comes near. */
static void leave_out(block *b, size_t r) {
  size_t rows = b->kernel->rows, d = b->points->d;
  float *to = b->x + r / rows * rows * d + r % rows;
  for (size_t t = 0; t < d; t++)
    to[t * rows] = 0.0f;
  b->limit[r] = -INFINITY;
}

static void take_row(block *b, size_t r, float least, float square) {
  candidates *c = &b->row[r];
  c->least = least;
  c->count = 0;
  c->at = 0;
  c->found = 0;
  c->square = square;
  double X = (double)length_above((double)square), R = (double)b->points->radius, all = X + R;
  if (!(all < 1e18)) {
    c->slack = -1.0;
    leave_out(b, r);
    return;
  }
  double d = (double)b->points->d;
  c->slack = UNIT * (4.1 * (d + 1.0) * X * R + (30.0 + d / 7.0) * all * all) + 1e-44 * (d + 8.0);
  /* a point further than the old value is none */
  double most = (double)least - (double)square + c->slack;
  b->limit[r] = (double)least < 4.0 * all * all ? (float)most : FLT_MAX;
}

/* Rows i.. of x, or of those that `which` picks, into an empty block. */
static void take_rows(block *b, const float *x, const uint32_t *which, size_t i, size_t count,
                      const float *squared) {
  size_t rows = b->kernel->rows, d = b->points->d;
  b->rows = count;
  b->padded = (count + rows - 1) / rows * rows;
  for (size_t r = 0; r < count; r += rows) {
    const float *from[BURL_TILE_MOST_ROWS];
    float squares[BURL_TILE_MOST_ROWS];
    size_t m = count - r < rows ? count - r : rows;
    for (size_t l = 0; l < m; l++) {
      size_t row = which ? which[i + r + l] : i + r + l;
      from[l] = x + row * d;
      b->row[r + l].x = from[l];
      b->row[r + l].row = row;
    }
    interleave(b->x + r * d, squares, rows, m, from, b->points->centre, d);
    for (size_t l = 0; l < m; l++)
      take_row(b, r + l, squared ? squared[b->row[r + l].row] : FLT_MAX, squares[l]);
  }
  for (size_t r = count; r < b->padded; r++)
    leave_out(b, r);
}

/* Lets differences decide among the candidates; those of later panels have larger indices. */
static void settle(candidates *c, const burl_panels *points, float limit) {
  for (size_t i = 0; i < c->count; i++) {
    if (c->s[i] > limit) continue;
    float square = burl_square_of(c->x, points->rows + c->point[i] * points->d, points->d);
    if (!(square < c->least)) continue;
    c->least = square;
    c->at = c->point[i];
    c->found = 1;
  }
  c->count = 0;
}

/* Drops candidates that are none any more; where all still are, they are settled. */
static void make_room(candidates *c, const burl_panels *points, float limit) {
  size_t kept = 0;
  for (size_t i = 0; i < c->count; i++) {
    if (c->s[i] > limit) continue;
    c->s[kept] = c->s[i];
    c->point[kept++] = c->point[i];
  }
  c->count = kept;
  if (kept == CANDIDATES) settle(c, points, limit);
}

/* Lowers the limit to `slack` above the least of s and gives a bit for each that is within it. */
BURL_CLONES
static uint32_t lower_limit(float *limit, const float *s, double slack) {
  burl_lanes low = *(const burl_lanes *)s;
  for (size_t j = BURL_LANES; j < BURL_PANEL; j += BURL_LANES) {
    burl_lanes v = *(const burl_lanes *)(s + j);
    burl_lanes_int less = v < low;
    low = (burl_lanes)(((burl_lanes_int)v & less) | ((burl_lanes_int)low & ~less));
  }
  float least = low[0];
  for (int l = 1; l < BURL_LANES; l++)
    least = low[l] < least ? low[l] : least;
  double lower = (double)least + slack;
  float most = lower < (double)*limit ? (float)lower : *limit;
  uint32_t within = 0;
  for (uint32_t l = 0; l < BURL_PANEL; l++)
    within |= (uint32_t)(s[l] <= most) << l;
  *limit = most;
  return within;
}

/* A row of a tile in which something is within the limit. */
static void take_hits(candidates *c, float *limit, const burl_panels *points, const float *s,
                      size_t first) {
  uint32_t within = lower_limit(limit, s, c->slack);
  for (size_t l = 0; within; l++, within >>= 1) {
    if (!(within & 1)) continue;
    if (c->count == CANDIDATES) make_room(c, points, *limit);
    c->s[c->count] = s[l];
    c->point[c->count++] = (uint32_t)(first + l);
  }
}

static void search_block(block *b, size_t from) {
  const burl_panels *points = b->points;
  size_t rows = b->kernel->rows, d = points->d;
  float tile[BURL_TILE_MOST_ROWS * BURL_PANEL];
  for (size_t p = from; p * BURL_PANEL < points->count; p++) {
    const float *panel = points->panels + p * BURL_PANEL * d;
    for (size_t r = 0; r < b->padded; r += rows) {
      uint32_t hits = b->kernel->run(tile, b->x + r * d, panel, points->squares + p * BURL_PANEL,
                                     b->limit + r, d);
      for (size_t i = 0; hits; i++, hits >>= 1)
        if (hits & 1)
          take_hits(&b->row[r + i], &b->limit[r + i], points, tile + i * BURL_PANEL,
                    p * BURL_PANEL);
    }
  }
}

static void scan_all(candidates *c, const burl_panels *points, size_t from) {
  for (size_t j = from * BURL_PANEL; j < points->count; j++) {
    float square = burl_square_of(c->x, points->rows + j * points->d, points->d);
    if (!(square < c->least)) continue;
    c->least = square;
    c->at = (uint32_t)j;
    c->found = 1;
  }
}

/* Rows of a block, 0 where d is beyond what the scratch holds. */
static size_t most_rows(const burl_tile_kernel *kernel, size_t d) {
  size_t tiles = SCRATCH / (kernel->rows * d), most = MOST_ROWS / kernel->rows;
  return (tiles < most ? tiles : most) * kernel->rows;
}

static void lower_one(float *squared, uint32_t *nearest, candidates *c) {
  squared[c->row] = c->least;
  if (nearest && c->found) nearest[c->row] = c->at;
}

void burl_panels_lower(float *squared, uint32_t *nearest, const float *x, const uint32_t *which,
                       size_t n, const burl_panels *points, size_t from) {
  block b;
  b.kernel = burl_tile_kernel_get(0);
  b.points = points;
  size_t d = points->d, most = most_rows(b.kernel, d);
  for (size_t i = 0; i < n && most == 0; i++) {
    size_t row = which ? which[i] : i;
    candidates c = {.x = x + row * d, .row = row, .least = squared[row]};
    scan_all(&c, points, from);
    lower_one(squared, nearest, &c);
  }
  for (size_t i = 0; i < n && most > 0; i += most) {
    take_rows(&b, x, which, i, n - i < most ? n - i : most, squared);
    search_block(&b, from);
    for (size_t r = 0; r < b.rows; r++) {
      if (b.row[r].slack < 0.0)
        scan_all(&b.row[r], points, from);
      else
        settle(&b.row[r], points, b.limit[r]);
      lower_one(squared, nearest, &b.row[r]);
    }
  }
}

/* Entries of a tile as distances; gives how many of them are what products left of large squares.
 */
BURL_CLONES
static int write_lanes(float *restrict cost, const float *restrict s, const float *restrict squares,
                       float square, size_t m) {
  int near = 0;
  for (size_t l = 0; l < m; l++) {
    cost[l] = square + s[l];
    near += !(cost[l] >= NEAR * (square + squares[l]));
  }
  return near;
}

/* A row of a tile as distances; where products cancel, differences. */
static void write_row(float *cost, const candidates *c, const burl_panels *points, const float *s,
                      size_t first) {
  size_t m = points->count - first < BURL_PANEL ? points->count - first : BURL_PANEL;
  const float *squares = points->squares + first;
  int near = write_lanes(cost + first, s, squares, c->square, m);
  if (near == 0 && c->slack >= 0.0) return;
  for (size_t l = 0; l < m; l++)
    if (c->slack < 0.0 || !(cost[first + l] >= NEAR * (c->square + squares[l])))
      cost[first + l] = burl_square_of(c->x, points->rows + (first + l) * points->d, points->d);
}

static void write_block(float *cost, size_t ldc, block *b) {
  const burl_panels *points = b->points;
  size_t rows = b->kernel->rows, d = points->d;
  float tile[BURL_TILE_MOST_ROWS * BURL_PANEL];
  for (size_t r = 0; r < b->rows; r++)
    b->limit[r] = INFINITY;
  for (size_t p = 0; p * BURL_PANEL < points->count; p++)
    for (size_t r = 0; r < b->padded; r += rows) {
      b->kernel->run(tile, b->x + r * d, points->panels + p * BURL_PANEL * d,
                     points->squares + p * BURL_PANEL, b->limit + r, d);
      for (size_t i = 0; i < rows && r + i < b->rows; i++)
        write_row(cost + b->row[r + i].row * ldc, &b->row[r + i], points, tile + i * BURL_PANEL,
                  p * BURL_PANEL);
    }
}

void burl_panels_distances(float *cost, size_t ldc, const float *x, size_t n,
                           const burl_panels *points) {
  block b;
  b.kernel = burl_tile_kernel_get(0);
  b.points = points;
  size_t d = points->d, most = most_rows(b.kernel, d);
  for (size_t i = 0; i < n && most == 0; i++)
    for (size_t j = 0; j < points->count; j++)
      cost[i * ldc + j] = burl_square_of(x + i * d, points->rows + j * d, d);
  for (size_t i = 0; i < n && most > 0; i += most) {
    take_rows(&b, x, NULL, i, n - i < most ? n - i : most, NULL);
    write_block(cost, ldc, &b);
  }
}
