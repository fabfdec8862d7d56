/* Moves 4,096 points of a noisy grid onto 256 prototypes without ever holding their 4,096 x 256
 * costs, and takes each prototype to the plan-weighted mean of its points.
 *
 *   cc lazy_transport.c $(pkg-config --cflags --libs burl) -lm -o lazy_transport
 */
#include <burl/transport_cost.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDE 64
#define N (SIDE * SIDE)
#define M 256
#define D 3

static float points[N * D], places[N * 2], prototypes[M * D], moved[M * D], their_places[M * 2];
static double a[N], b[M], f[N], g[M];

/* A smooth colour over the grid, with a little noise from a small generator. */
static void make_points(void) {
  unsigned state = 1;
  for (size_t i = 0; i < N; i++) {
    float x = (float)(i % SIDE) / (SIDE - 1), y = (float)(i / SIDE) / (SIDE - 1);
    const float colour[D] = {x, y, x * y};
    for (size_t t = 0; t < D; t++) {
      state = state * 1664525u + 1013904223u;
      points[i * D + t] = colour[t] + 0.05f * (float)(state >> 8) / 16777216.0f;
    }
    places[2 * i] = x;
    places[2 * i + 1] = y;
    a[i] = 1.0 / N;
  }
  for (size_t j = 0; j < M; j++) { /* prototypes start at every sixteenth point */
    for (size_t t = 0; t < D; t++)
      prototypes[j * D + t] = points[j * (N / M) * D + t];
    their_places[2 * j] = places[2 * j * (N / M)];
    their_places[2 * j + 1] = places[2 * j * (N / M) + 1];
    b[j] = 1.0 / M;
  }
}

static burl_status move(burl_sinkhorn_lazy *solver, burl_cost *cost, burl_sinkhorn_info *info) {
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  options.eps = 0.05;
  options.tolerance = 1e-6;
  burl_status status = burl_sinkhorn_solve_lazy(solver, f, g, cost, a, b, 0, &options, info);
  if (status) return status;
  return burl_sinkhorn_lazy_project_columns(solver, moved, cost, f, g, options.eps, points, D, b);
}

static int fail(burl_status status) {
  fprintf(stderr, "lazy_transport: %s\n", burl_status_get_text(status));
  return 1;
}

int main(void) {
  make_points();
  burl_cost_term terms[2] = {/* both parts over their maximum: the cost lies in 0..1 */
                             {.kind = BURL_COST_SQUARED, .weight = 0.7, .over_max = 1},
                             {.kind = BURL_COST_PLACE,
                              .weight = 0.3,
                              .over_max = 1,
                              .x_places = places,
                              .y_places = their_places}};
  burl_cost *cost = NULL;
  burl_sinkhorn_lazy *solver = NULL;
  burl_sinkhorn_info info = {0};
  burl_status status = burl_cost_new(&cost, terms, 2, points, N, prototypes, M, D);
  if (!status) status = burl_sinkhorn_lazy_new(&solver, N, M);
  if (!status) status = move(solver, cost, &info);
  burl_sinkhorn_lazy_free(solver);
  burl_cost_free(cost);
  if (status) return fail(status);
  /* with columns exact, the mean of the moved prototypes is that of the points, up to the error of
   * the rows */
  double off = 0.0;
  for (size_t t = 0; t < D; t++) {
    double difference = 0.0;
    for (size_t i = 0; i < N; i++)
      difference += a[i] * (double)points[i * D + t];
    for (size_t j = 0; j < M; j++)
      difference -= b[j] * (double)moved[j * D + t];
    off = fmax(off, fabs(difference));
  }
  printf("cost %.6f, %s after %zu sweeps; means differ by %.1e\n", info.transport,
         info.converged ? "converged" : "not converged", info.sweeps, off);
  return info.converged && off < 1e-4 ? 0 : 1;
}
