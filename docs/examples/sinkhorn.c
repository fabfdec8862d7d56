/* Moves three heaps of mass onto four places at the least cost with entropy, and prints the plan.
 *
 *   cc sinkhorn.c $(pkg-config --cflags --libs burl) -o sinkhorn
 */
#include <burl/transport.h>

#include <math.h>
#include <stdio.h>

#define N 3
#define M 4

static const double heaps[N] = {0.5, 0.3, 0.2};
static const double places[M] = {0.25, 0.25, 0.25, 0.25};
static const double C[N * M] = {
    0.0, 1.0, 4.0, 9.0, /* squared distances on a line: heaps at 0, 1 and 3, */
    1.0, 0.0, 1.0, 4.0, /* places at 0, 1, 2 and 3 */
    9.0, 4.0, 1.0, 0.0,
};

/* Prints the plan with its row sums; gives the largest error of a row or column sum. */
static double print_plan(const double P[N * M]) {
  double worst = 0.0, columns[M] = {0};
  for (size_t i = 0; i < N; i++) {
    double row = 0.0;
    for (size_t j = 0; j < M; j++) {
      printf("%8.4f", P[i * M + j]);
      row += P[i * M + j];
      columns[j] += P[i * M + j];
    }
    printf("   sum %.4f\n", row);
    worst = fmax(worst, fabs(row - heaps[i]));
  }
  for (size_t j = 0; j < M; j++)
    worst = fmax(worst, fabs(columns[j] - places[j]));
  return worst;
}

int main(void) {
  burl_sinkhorn *solver;
  burl_status status = burl_sinkhorn_new(&solver, N, M);
  if (status) {
    fprintf(stderr, "sinkhorn: %s\n", burl_status_get_text(status));
    return 1;
  }
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  options.eps = 0.5;
  double f[N], g[M], P[N * M];
  burl_sinkhorn_info info;
  status = burl_sinkhorn_solve_log(solver, f, g, C, M, N, M, heaps, places, 0, &options, &info);
  burl_sinkhorn_free(solver);
  if (status) {
    fprintf(stderr, "sinkhorn: %s\n", burl_status_get_text(status));
    return 1;
  }
  burl_sinkhorn_plan_log(P, M, C, M, N, M, f, g, options.eps);
  double worst = print_plan(P);
  printf("cost %.6f, primal %.6f, dual %.6f, %s after %zu sweeps\n", info.transport, info.primal,
         info.dual, info.converged ? "converged" : "not converged", info.sweeps);
  return info.converged && worst < 1e-8 ? 0 : 1;
}
