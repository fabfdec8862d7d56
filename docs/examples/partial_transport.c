/* Matches what two rows of weights have in common and leaves the rest: partial transport of a given
 * mass, then the unbalanced form, which finds by itself how much is worth moving.
 *
 *   cc partial_transport.c $(pkg-config --cflags --libs burl) -lm -o partial_transport
 */
#include <burl/transport_unbalanced.h>

#include <math.h>
#include <stdio.h>

#define N 4
#define M 3

static const double here[N] = {0.3, 0.3, 0.3, 0.1};
static const double there[M] = {0.4, 0.2, 0.4};
static const double C[N * M] = {
    0.0, 1.0, 9.0, /* squared distances on a line: weights at 0, 1, 2 and 9, */
    1.0, 0.0, 4.0, /* places at 0, 1 and 3 */
    4.0, 1.0, 1.0, 81.0, 64.0, 36.0,
};

/* Prints the plan with its row sums; gives the mass at 9, which is far from everything. */
static double print_plan(const double P[N * M]) {
  double far = 0.0;
  for (size_t i = 0; i < N; i++) {
    double row = 0.0;
    for (size_t j = 0; j < M; j++) {
      printf("%8.4f", P[i * M + j]);
      row += P[i * M + j];
    }
    printf("   sum %.4f of %.1f\n", row, here[i]);
    far = row;
  }
  return far;
}

static void print_info(const char *name, const burl_unbalanced_info *info) {
  printf("%s: mass %.4f, cost %.6f, primal %.6f, gap %.1e, %s after %zu sweeps\n\n", name,
         info->mass, info->transport, info->primal, info->gap,
         info->converged ? "converged" : "not converged", info->sweeps);
}

int main(void) {
  burl_unbalanced *solver;
  burl_status status = burl_unbalanced_new(&solver, N, M);
  if (status) {
    fprintf(stderr, "partial_transport: %s\n", burl_status_get_text(status));
    return 1;
  }
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  options.eps = 0.3;
  double f[N], g[M], P[N * M], far;
  burl_unbalanced_info partial, unbalanced;
  status = burl_unbalanced_solve_partial(solver, f, g, C, M, N, M, here, there, 0.8, 0, &options,
                                         &partial);
  if (!status) {
    burl_sinkhorn_plan_log(P, M, C, M, N, M, f, g, options.eps);
    far = print_plan(P);
    print_info("partial", &partial);
    status = burl_unbalanced_solve(solver, f, g, C, M, N, M, here, there, 2.0, 2.0, 0, &options,
                                   &unbalanced);
  }
  burl_unbalanced_free(solver);
  if (status) {
    fprintf(stderr, "partial_transport: %s\n", burl_status_get_text(status));
    return 1;
  }
  burl_sinkhorn_plan_log(P, M, C, M, N, M, f, g, options.eps);
  far = fmax(far, print_plan(P));
  print_info("unbalanced", &unbalanced);
  return partial.converged && unbalanced.converged && far < 1e-3 ? 0 : 1;
}
