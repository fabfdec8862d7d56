/* A strip of the row at a time: first e into a buffer, one exponential an entry, then what is done
 * with it, sums in LANES parts that are folded in a fixed order. */
#include "num/plan_gradient.h"

#include "num/simd.h"
#include "num/vector_math.h"

#define LANES 16
#define STRIP 128

typedef struct flow_lanes {
  double sum[LANES], cost[LANES];
} flow_lanes;

BURL_INLINE void add_flow(flow_lanes *lanes, const double *x, const double *c, size_t width) {
  size_t whole = width - width % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++) {
      lanes->sum[l] += x[j + l];
      lanes->cost[l] += x[j + l] * c[j + l];
    }
  for (size_t j = whole; j < width; j++) {
    lanes->sum[0] += x[j];
    lanes->cost[0] += x[j] * c[j];
  }
}

static burl_num_flow fold_flow(flow_lanes *lanes) {
  for (size_t width = LANES / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++) {
      lanes->sum[l] += lanes->sum[l + width];
      lanes->cost[l] += lanes->cost[l + width];
    }
  return (burl_num_flow){lanes->sum[0], lanes->cost[0]};
}

static size_t strip_width(size_t j, size_t m) {
  return m - j < STRIP ? m - j : STRIP;
}

BURL_CLONES
static void flow_strip_from_columns(flow_lanes *lanes, double *restrict dC,
                                    const double *restrict weight, double q,
                                    const double *restrict p, const double *restrict c,
                                    double scale, size_t width) {
  double x[STRIP];
  for (size_t j = 0; j < width; j++)
    x[j] = weight[j] * exp_double(q + p[j] - scale * c[j]);
  add_flow(lanes, x, c, width);
  for (size_t j = 0; dC && j < width; j++)
    dC[j] += scale * x[j];
}

burl_num_flow burl_num_flow_from_columns(double *dC, const double *weight, double q,
                                         const double *p, const double *c, double scale, size_t m) {
  flow_lanes lanes = {{0}, {0}};
  for (size_t j = 0; j < m; j += STRIP)
    flow_strip_from_columns(&lanes, dC ? dC + j : dC, weight + j, q, p + j, c + j, scale,
                            strip_width(j, m));
  return fold_flow(&lanes);
}

BURL_CLONES
static void flow_strip_from_row(flow_lanes *lanes, double *restrict dC, double *restrict columns,
                                double weight, double q, const double *restrict p,
                                const double *restrict c, double scale, size_t width) {
  double x[STRIP];
  for (size_t j = 0; j < width; j++) {
    x[j] = weight * exp_double(q + p[j] - scale * c[j]);
    columns[j] -= x[j];
  }
  add_flow(lanes, x, c, width);
  for (size_t j = 0; dC && j < width; j++)
    dC[j] += scale * x[j];
}

burl_num_flow burl_num_flow_from_row(double *dC, double *columns, double weight, double q,
                                     const double *p, const double *c, double scale, size_t m) {
  flow_lanes lanes = {{0}, {0}};
  for (size_t j = 0; j < m; j += STRIP)
    flow_strip_from_row(&lanes, dC ? dC + j : dC, columns + j, weight, q, p + j, c + j, scale,
                        strip_width(j, m));
  return fold_flow(&lanes);
}

BURL_CLONES
static void flow_strip_from_plan(flow_lanes *lanes, double *restrict dC, double *restrict columns,
                                 const double *restrict dP, double slope, double q,
                                 const double *restrict p, const double *restrict c, double scale,
                                 size_t width) {
  double e[STRIP], x[STRIP];
  for (size_t j = 0; j < width; j++) {
    e[j] = exp_double(q + p[j] - scale * c[j]);
    x[j] = slope * c[j] * e[j];
  }
  for (size_t j = 0; dP && j < width; j++)
    x[j] += dP[j] * e[j];
  for (size_t j = 0; j < width; j++)
    columns[j] += x[j];
  add_flow(lanes, x, c, width);
  for (size_t j = 0; dC && j < width; j++)
    dC[j] += slope * e[j] - scale * x[j];
}

burl_num_flow burl_num_flow_from_plan(double *dC, double *columns, const double *dP, double slope,
                                      double q, const double *p, const double *c, double scale,
                                      size_t m) {
  flow_lanes lanes = {{0}, {0}};
  for (size_t j = 0; j < m; j += STRIP)
    flow_strip_from_plan(&lanes, dC ? dC + j : dC, columns + j, dP ? dP + j : dP, slope, q, p + j,
                         c + j, scale, strip_width(j, m));
  return fold_flow(&lanes);
}
