/* Transport as a layer: learns the cost that makes mass flow as observed, by gradient descent on
 * |P(C) - observed|^2 back through the sweeps (tape). The first gradient is compared with that of
 * the fixed point (implicit).
 *
 *   cc sinkhorn_gradient.c $(pkg-config --cflags --libs burl) -lm -o sinkhorn_gradient
 */
#include <burl/transport_gradient.h>

#include <math.h>
#include <stdio.h>

#define N 3
#define M 4
#define EPS 0.5
#define SWEEPS 100
#define STEPS 200
#define RATE 10.0

static const double heaps[N] = {0.5, 0.3, 0.2};
static const double places[M] = {0.25, 0.25, 0.25, 0.25};
static const double observed[N * M] = {
    0.20, 0.15, 0.10, 0.05, /* rows sum to heaps, columns to places */
    0.03, 0.07, 0.05, 0.15, /* */
    0.02, 0.03, 0.10, 0.05,
};

typedef struct layer {
  burl_sinkhorn_tape *tape;
  burl_sinkhorn_options options;
  double C[N * M], f[N], g[M], dP[N * M], dC[N * M];
} layer;

/* Solves for C as it is; the loss, and dC. */
static burl_status forward_and_back(layer *t, double *loss) {
  burl_status status = burl_sinkhorn_tape_solve(t->tape, t->f, t->g, t->C, M, N, M, heaps, places,
                                                0, &t->options, NULL);
  if (status) return status;
  double P[N * M], sum = 0.0;
  burl_sinkhorn_plan_log(P, M, t->C, M, N, M, t->f, t->g, EPS);
  for (size_t k = 0; k < N * M; k++) {
    sum += (P[k] - observed[k]) * (P[k] - observed[k]);
    t->dP[k] = 2.0 * (P[k] - observed[k]);
    t->dC[k] = 0.0; /* gradients are added to what is there */
  }
  *loss = sum;
  burl_sinkhorn_loss in = {.dP = t->dP, .lddp = M};
  burl_sinkhorn_gradient out = {.dC = t->dC, .lddc = M};
  return burl_sinkhorn_tape_backward(t->tape, &out, &in, t->C, M);
}

static burl_status descend(layer *t, double *last) {
  for (int step = 0; step <= STEPS; step++) {
    burl_status status = forward_and_back(t, last);
    if (status) return status;
    if (step % 50 == 0) printf("step %3d   loss %.3e\n", step, *last);
    for (size_t k = 0; k < N * M && step < STEPS; k++)
      t->C[k] -= RATE * t->dC[k];
  }
  return BURL_OK;
}

/* Largest difference to the gradient by the fixed point. */
static burl_status compare(const layer *t, double *difference) {
  burl_sinkhorn_implicit *implicit;
  burl_status status = burl_sinkhorn_implicit_new(&implicit, N, M);
  if (status) return status;
  double dC[N * M] = {0};
  burl_sinkhorn_loss in = {.dP = t->dP, .lddp = M};
  burl_sinkhorn_gradient out = {.dC = dC, .lddc = M};
  status = burl_sinkhorn_implicit_backward(implicit, &out, &in, t->C, M, N, M, t->f, t->g, EPS);
  burl_sinkhorn_implicit_free(implicit);
  *difference = 0.0;
  for (size_t k = 0; k < N * M; k++)
    *difference = fmax(*difference, fabs(dC[k] - t->dC[k]));
  printf("gradients of both ways differ by %.1e\n", *difference);
  return status;
}

int main(void) {
  layer t = {.options = burl_sinkhorn_default_options(), .C = {0.0, 1.0, 0.5, 0.2}};
  t.options.eps = EPS;
  t.options.max_sweeps = SWEEPS;
  double first = 0.0, last = 0.0, difference = 0.0;
  burl_status status = burl_sinkhorn_tape_new(&t.tape, N, M, SWEEPS);
  if (!status) {
    status = forward_and_back(&t, &first);
    if (!status) status = compare(&t, &difference);
    if (!status) status = descend(&t, &last);
    burl_sinkhorn_tape_free(t.tape);
  }
  if (status) {
    fprintf(stderr, "sinkhorn_gradient: %s\n", burl_status_get_text(status));
    return 1;
  }
  return last < 1e-3 * first && difference < 1e-8 ? 0 : 1;
}
