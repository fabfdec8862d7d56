/* transport/sinkhorn_parts.h: what the forms of Sinkhorn share: the problem, the workspace, and the
 * frame in which a form runs. Potentials are kept divided by eps: phi = f / eps, gamma = g / eps.
 */
#ifndef BURL_TRANSPORT_SINKHORN_PARTS_H
#define BURL_TRANSPORT_SINKHORN_PARTS_H

#include "base/memory.h"
#include "base/parallel.h"
#include <burl/transport.h>

/* Rows handed to the vector kernels at a time. */
#define BURL_SINKHORN_BLOCK 8

/* Rows whose column sums are added up in float, and parts in which the plan is measured; both
 * fixed, so that sums have the same order for any number of threads. */
#define BURL_SINKHORN_ROWS 64
#define BURL_SINKHORN_CHUNKS 16

/* A cost that is not stored: computes rows first..first+count-1 (count <= BURL_SINKHORN_BLOCK),
 * packed; they stay until the next call. bound is at least max |C|, and finite. One thread at a
 * time.
 */
typedef struct burl_sinkhorn_source {
  const float *(*rows)(void *context, size_t first, size_t count);
  void *context;
  double bound;
} burl_sinkhorn_source;

struct burl_sinkhorn_problem;

/* The sweep of a form in parts, by which it is accelerated: rows is the row step to gamma, and what
 * column sums need; columns the column step, which leaves gamma as it says; marginal gives the
 * column sums after a row step, and 0 where they cannot be relied on; place takes over a gamma that
 * was changed. */
typedef struct burl_sinkhorn_parts {
  void (*rows)(burl_sinkhorn *self, const struct burl_sinkhorn_problem *problem);
  void (*columns)(burl_sinkhorn *self, const struct burl_sinkhorn_problem *problem);
  int (*marginal)(burl_sinkhorn *self, const struct burl_sinkhorn_problem *problem, double *sums);
  void (*place)(burl_sinkhorn *self, const struct burl_sinkhorn_problem *problem);
} burl_sinkhorn_parts;

/* One of the three costs is set. */
typedef struct burl_sinkhorn_problem {
  const double *cost;
  const float *cost_float;
  const burl_sinkhorn_source *source;
  size_t ldc, n, m;
  const double *a, *b;
  double total;      /* sum of a */
  double eps, scale; /* scale = 1 / eps */
  burl_sweep_order order;
  const burl_sinkhorn_parts *parts; /* NULL: never accelerated */
} burl_sinkhorn_problem;

/* Whether the scaling form has handed over to the log form, see sinkhorn_scaling.c. */
typedef enum burl_sinkhorn_polish {
  BURL_SINKHORN_POLISH_NO = 0,
  BURL_SINKHORN_POLISH_NEXT, /* from the next sweep on */
  BURL_SINKHORN_POLISH_NOW
} burl_sinkhorn_polish;

/* Steps whose curvature is remembered. */
#define BURL_SINKHORN_PAIRS 5

/* What sinkhorn_accelerate.c keeps between sweeps, all of length m. Gradients are those of the dual
 * after a row step, b less the column sums. */
typedef struct burl_sinkhorn_memory {
  double *point, *marginal_before, *gradient_before; /* gamma last kept, and what was there */
  double *marginal, *gradient;                       /* at gamma as it is */
  double *step, *inverse;  /* last step from the point; 1 / b, 0 without mass */
  double *moves, *changes; /* BURL_SINKHORN_PAIRS x m: steps, and falls of the gradient */
  double product[BURL_SINKHORN_PAIRS]; /* <move, change> */
  double scale, slope, reach, error, error_before;
  size_t pairs, next, shortened, plain_left, penalty;
  int has_sums, has_point, on_trial;
} burl_sinkhorn_memory;

/* Sizes are the largest n and m, padded ones in whole vectors. */
struct burl_sinkhorn {
  burl_arena arena;
  size_t n, m;
  double *phi, *gamma;   /* n, m */
  double *log_a, *log_b; /* n, m; -inf where there is no mass */
  double *max, *sum;     /* m: running log-sum-exp of the columns */
  double *measured;      /* BURL_SINKHORN_CHUNKS x m: column sums of the plan, by chunks of rows */
  double *wide;          /* BURL_SINKHORN_CHUNKS x m: a row of a float cost as double */
  double *block;         /* BURL_SINKHORN_BLOCK x m: rows of a float cost as double */
  /* scaling form alone, see sinkhorn_scaling.c */
  float *kernel; /* n x padded m */
  float *y;      /* padded m: column factors */
  float *part;   /* column sums of BURL_SINKHORN_ROWS rows each: so many x padded m */
  float *r_now;  /* n: row sums after the column step */
  float *mass, *r, *r_at_build; /* n: a / total; row sums now and when the kernel was built */
  double *shift;                /* n */
  double *y_exact, *s, *weight; /* m */
  double *gamma_weighted;       /* m */
  double float_floor;           /* residual that float can be trusted to reach */
  int must_build, sums_in_log;
  burl_sinkhorn_polish polish;
  burl_sinkhorn_memory memory;
  burl_team team; /* open during a solve */
};

/* A form: start reads phi and gamma, finish writes them, sweeps lie between. residual is that of
 * the marginal not updated last, NaN where it is only to be had from the plan. */
typedef struct burl_sinkhorn_form {
  void (*start)(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);
  void (*sweep)(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);
  double (*residual)(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);
  void (*finish)(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);
} burl_sinkhorn_form;

extern const burl_sinkhorn_form burl_sinkhorn_log_form;
extern const burl_sinkhorn_parts burl_sinkhorn_log_parts;

/* burl_sinkhorn_new with a kernel of `rows` rows only, for forms that keep a part of it at a time.
 */
burl_status burl_sinkhorn_new_kernel(burl_sinkhorn **self, size_t n, size_t m, size_t rows);

/* Checks everything, then runs the form. f, g and info are written at the end only. */
burl_status burl_sinkhorn_run(burl_sinkhorn *self, double *f, double *g,
                              burl_sinkhorn_problem *problem, int warm,
                              const burl_sinkhorn_options *options, burl_sinkhorn_info *info,
                              const burl_sinkhorn_form *form);

/* Rows first..first+count-1 of the cost as double (count <= BURL_SINKHORN_BLOCK), at distance *ld.
 */
const double *burl_sinkhorn_cost_rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                                      size_t first, size_t count, size_t *ld);

/* One reading of the cost in the log domain: with `rows`, phi_i = log a_i - LSE_j(gamma_j -
 * C_ij/eps); with `columns`, max and sum then hold LSE_i(phi_i - C_ij/eps) as log sum + max. */
void burl_sinkhorn_log_pass(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, int rows,
                            int columns);
/* gamma_j = log b_j - LSE_i(phi_i - C_ij/eps) from max and sum. */
void burl_sinkhorn_log_columns(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);

/* Residual, transport, primal and dual of the plan of phi and gamma. */
void burl_sinkhorn_measure(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                           burl_sinkhorn_info *info);

/* A sweep whose column step is a quasi-Newton step where that is safe. Gives 0 where it is not
 * worth looking at the residual; with `last` the marginal updated last is met in any case. */
void burl_sinkhorn_accelerate_start(burl_sinkhorn *self, const burl_sinkhorn_problem *problem);
int burl_sinkhorn_accelerated_sweep(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                                    int look, int last, double tolerance);

#endif
