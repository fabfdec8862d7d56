/* transport.h: what makes solving fast leaves the answer as it is: acceleration, threads, batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/ref_sinkhorn.h"
#include "unit/failing.h"
#include <burl/transport.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 260

typedef struct fixture {
  burl_sinkhorn *solver;
  size_t n, m;
  double C[MOST * MOST], a[MOST], b[MOST], f[MOST], g[MOST], P[2][MOST * MOST];
  float C_float[MOST * MOST];
} fixture;

static int set_up(void **state) {
  fixture *t = calloc(1, sizeof *t);
  *state = t;
  return !t || burl_sinkhorn_new(&t->solver, MOST, MOST) != BURL_OK;
}

static int tear_down(void **state) {
  fixture *t = *state;
  burl_sinkhorn_free(t->solver);
  free(t);
  return 0;
}

static void make_problem(fixture *t, size_t n, size_t m, double largest, uint64_t seed) {
  ref_transport_problem(t->C, t->a, t->b, n, m, largest, 1.0, seed);
  t->n = n;
  t->m = m;
  for (size_t i = 0; i < n * m; i++)
    t->C[i] = (double)(t->C_float[i] = (float)t->C[i]);
}

/* Groups of rows and columns that are near each other and far from all others, in unequal numbers:
 * what makes the plain iteration slow. */
static void make_clusters(fixture *t, size_t n, size_t m, uint64_t seed) {
  make_problem(t, n, m, 0.2, seed);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      t->C_float[i * m + j] += i * i * 5 / (n * n) == j * 5 / m ? 0.0f : 0.8f;
      t->C[i * m + j] = (double)t->C_float[i * m + j];
    }
}

static burl_sinkhorn_info solve(fixture *t, int scaling, const burl_sinkhorn_options *options) {
  burl_sinkhorn_info info;
  burl_status status = scaling
                           ? burl_sinkhorn_solve_scaling(t->solver, t->f, t->g, t->C_float, t->m,
                                                         t->n, t->m, t->a, t->b, 0, options, &info)
                           : burl_sinkhorn_solve_log(t->solver, t->f, t->g, t->C, t->m, t->n, t->m,
                                                     t->a, t->b, 0, options, &info);
  assert_int_equal(status, BURL_OK);
  return info;
}

static burl_sinkhorn_options options_for(double eps, double tolerance, int form) {
  return (burl_sinkhorn_options){.eps = eps,
                                 .max_sweeps = 20000,
                                 .tolerance = tolerance,
                                 .check_every = 5,
                                 .order = (burl_sweep_order)(form / 2),
                                 .accelerate = 1,
                                 .threads = 1};
}

static void accelerated_equals_plain_at_convergence(void **state) {
  fixture *t = *state;
  static const double eps[] = {0.02, 0.1};
  for (size_t e = 0; e < 2; e++)
    for (int form = 0; form < 4; form++) {
      make_clusters(t, 90, 70, 5);
      burl_sinkhorn_options options = options_for(eps[e], 1e-11, form);
      burl_sinkhorn_info info[2];
      for (int fast = 0; fast < 2; fast++) {
        options.accelerate = fast;
        info[fast] = solve(t, form % 2, &options);
        assert_int_equal(info[fast].converged, 1);
        burl_sinkhorn_plan_log(t->P[fast], t->m, t->C, t->m, t->n, t->m, t->f, t->g, options.eps);
      }
      for (size_t i = 0; i < t->n * t->m; i++)
        assert_true(fabs(t->P[0][i] - t->P[1][i]) < 1e-9);
      assert_true(fabs(info[0].transport - info[1].transport) < 1e-8);
      assert_true(fabs(info[0].dual - info[1].dual) < 1e-9);
    }
}

static void slow_problems_take_far_fewer_sweeps(void **state) {
  fixture *t = *state;
  for (int form = 0; form < 4; form++) {
    make_clusters(t, 200, 150, 6);
    burl_sinkhorn_options options = options_for(0.02, 1e-7, form);
    size_t fast = solve(t, form % 2, &options).sweeps;
    options.accelerate = 0;
    size_t plain = solve(t, form % 2, &options).sweeps;
    if (!(plain > 200 && fast * 3 < plain))
      fail_msg("form %d: %zu sweeps against %zu plain", form, fast, plain);
  }
}

static void easy_problems_take_hardly_more(void **state) {
  fixture *t = *state;
  static const size_t sizes[][2] = {{1, 1}, {1, 30}, {30, 1}, {2, 2}, {20, 31}, {90, 17}};
  static const double eps[] = {0.05, 0.3, 3.0, 1e3};
  for (uint64_t seed = 0; seed < 6; seed++)
    for (size_t e = 0; e < 4; e++)
      for (int form = 0; form < 4; form++) {
        make_problem(t, sizes[seed][0], sizes[seed][1], 1.0, 100 + seed);
        burl_sinkhorn_options options = options_for(eps[e], 1e-7, form);
        options.check_every = 1;
        burl_sinkhorn_info fast = solve(t, form % 2, &options);
        options.accelerate = 0;
        burl_sinkhorn_info plain = solve(t, form % 2, &options);
        assert_true(fast.converged && plain.converged);
        if (fast.sweeps > plain.sweeps + 6)
          fail_msg("seed %d, eps %g, form %d: %zu sweeps against %zu plain", (int)seed, eps[e],
                   form, fast.sweeps, plain.sweeps);
      }
}

/* Whatever eps, costs and masses: nothing but numbers, and an error reported as it is. */
static void safeguard_holds_at_the_extremes(void **state) {
  fixture *t = *state;
  static const double ratios[] = {1e-4, 1e-3, 1e-2, 1.0, 1e3}, costs[] = {1e-6, 1.0, 1e6};
  for (size_t r = 0; r < 5; r++)
    for (size_t c = 0; c < 3; c++)
      for (int masses = 0; masses < 2; masses++)
        for (int form = 0; form < 4; form++) {
          make_problem(t, 37, 41, costs[c], 7 + r);
          double sum_a = 0.0, sum_b = 0.0;
          for (size_t i = 0; masses && i < t->n; i++)
            sum_a += t->a[i] = i % 13 == 5 ? 0.0 : pow(10.0, -30.0 * (double)i / 36.0);
          for (size_t j = 0; masses && j < t->m; j++)
            sum_b += t->b[j] = j % 7 == 3 ? 0.0 : pow(10.0, -30.0 * (double)j / 40.0);
          for (size_t i = 0; masses && i < t->n; i++)
            t->a[i] /= sum_a;
          for (size_t j = 0; masses && j < t->m; j++)
            t->b[j] /= sum_b;
          burl_sinkhorn_options options = options_for(ratios[r] * costs[c], 1e-6, form);
          options.max_sweeps = 300;
          burl_sinkhorn_info info = solve(t, form % 2, &options);
          burl_sinkhorn_info wanted = ref_sinkhorn_info(t->f, t->g, t->C, t->n, t->m, t->a, t->b,
                                                        options.eps, options.order);
          assert_true(fabs(info.residual - wanted.residual) <= 1e-9);
          assert_int_equal(info.converged, info.residual <= 1e-6);
          assert_true(isfinite(info.dual) && isfinite(info.transport));
          for (size_t i = 0; i < t->n; i++)
            assert_true(isfinite(t->f[i]) || t->a[i] <= 0.0);
          for (size_t j = 0; j < t->m; j++)
            assert_true(isfinite(t->g[j]) || t->b[j] <= 0.0);
          options.accelerate = 0;
          if (!info.converged && solve(t, form % 2, &options).converged)
            fail_msg("eps %g, masses %d, form %d: plain sweeps get there, to %g these do not",
                     options.eps, masses, form, info.residual);
        }
}

static void threads_give_the_same_bytes(void **state) {
  fixture *t = *state;
  static const size_t sizes[][2] = {{1, 5}, {5, 1}, {64, 16}, {65, 17}, {257, 130}};
  for (size_t s = 0; s < 5; s++)
    for (int form = 0; form < 4; form++)
      for (int fast = 0; fast < 2; fast++) {
        double f[MOST], g[MOST];
        burl_sinkhorn_info one, more;
        make_problem(t, sizes[s][0], sizes[s][1], 1.0, 20 + s);
        burl_sinkhorn_options options = options_for(0.01, fast ? 1e-10 : 0.0, form);
        options.max_sweeps = 60;
        options.accelerate = fast;
        one = solve(t, form % 2, &options);
        memcpy(f, t->f, sizeof f);
        memcpy(g, t->g, sizeof g);
        for (options.threads = 0; options.threads < 6; options.threads += options.threads ? 1 : 2) {
          more = solve(t, form % 2, &options);
          assert_memory_equal(f, t->f, t->n * sizeof *f);
          assert_memory_equal(g, t->g, t->m * sizeof *g);
          assert_memory_equal(&one.residual, &more.residual, 4 * sizeof(double));
          assert_int_equal(one.sweeps, more.sweeps);
        }
      }
}

static void solving_fast_allocates_nothing(void **state) {
  fixture *t = *state;
  for (int form = 0; form < 4; form++) {
    make_clusters(t, 100, 70, 9);
    burl_sinkhorn_options options = options_for(0.02, 1e-9, form);
    options.threads = 2;
    fail_allocation_after(-1);
    burl_sinkhorn_info info = solve(t, form % 2, &options);
    assert_int_equal(stop_failing(), 0);
    assert_true(info.converged);
  }
}

#define JOBS 9

static void batch_equals_single_solves(void **state) {
  fixture *t = *state;
  double f[JOBS][24], g[JOBS][20];
  burl_sinkhorn *solvers[3];
  burl_sinkhorn_job jobs[JOBS];
  burl_sinkhorn_info info[JOBS], single[JOBS];
  burl_sinkhorn_options options = options_for(0.05, 1e-8, 0);
  make_problem(t, 24, 20, 1.0, 30); /* job k takes some of its rows and columns */
  for (size_t i = 0; i < t->n; i++)
    t->a[i] = 1.0;
  for (size_t k = 0; k < 3; k++)
    assert_int_equal(burl_sinkhorn_new(&solvers[k], 24, 20), BURL_OK);
  for (int threads = 1; threads <= 3; threads++) {
    for (size_t k = 0; k < JOBS; k++)
      jobs[k] = (burl_sinkhorn_job){.f = f[k],
                                    .g = g[k],
                                    .C = k % 2 ? t->C : NULL,
                                    .C_float = k % 2 ? NULL : t->C_float,
                                    .ldc = 20,
                                    .n = 10 + k,
                                    .m = 10 + k,
                                    .a = t->a,
                                    .b = t->a,
                                    .info = &info[k]};
    assert_int_equal(burl_sinkhorn_solve_batch(solvers, threads, jobs, JOBS, &options), BURL_OK);
    for (size_t k = 0; k < JOBS; k++) {
      const burl_sinkhorn_job *job = &jobs[k];
      burl_status status =
          job->C ? burl_sinkhorn_solve_log(t->solver, t->f, t->g, job->C, 20, job->n, job->m,
                                           job->a, job->b, 0, &options, &single[k])
                 : burl_sinkhorn_solve_scaling(t->solver, t->f, t->g, job->C_float, 20, job->n,
                                               job->m, job->a, job->b, 0, &options, &single[k]);
      assert_int_equal(status, BURL_OK);
      assert_memory_equal(f[k], t->f, job->n * sizeof(double));
      assert_memory_equal(g[k], t->g, job->m * sizeof(double));
      assert_memory_equal(&info[k].residual, &single[k].residual, 4 * sizeof(double));
    }
  }
  jobs[4].n = 25; /* larger than its solver */
  jobs[6].C = t->C;
  assert_int_equal(burl_sinkhorn_solve_batch(solvers, 1, jobs, JOBS, &options), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_solve_batch(solvers, 1, jobs + 5, 4, &options), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_solve_batch(solvers, 0, jobs, 1, &options), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_solve_batch(solvers, 1, jobs, 1, NULL), BURL_ERR_ARGUMENT);
  for (size_t k = 0; k < 3; k++)
    burl_sinkhorn_free(solvers[k]);
}

/* Near an assignment plain sweeps from 0 need thousands, from falling eps some hundred, to the same
 * plan. */
static void eps_scaling_reaches_the_same_plan(void **state) {
  fixture *t = *state;
  ref_transport_problem(t->C, t->a, t->b, 60, 60, 1.0, 1.0, 3);
  t->n = t->m = 60;
  for (size_t i = 0; i < 60; i++)
    t->a[i] = t->b[i] = 1.0 / 60;
  for (size_t i = 0; i < 60 * 60; i++)
    t->C[i] = (double)(t->C_float[i] = (float)t->C[i]);
  for (int form = 0; form < 4; form++) {
    burl_sinkhorn_options options = options_for(1e-4, 1e-4, form);
    options.accelerate = 0;
    options.max_sweeps = 200000;
    burl_sinkhorn_info from_zero = solve(t, form % 2, &options);
    burl_sinkhorn_plan_log(t->P[0], 60, t->C, 60, 60, 60, t->f, t->g, options.eps);
    options.start_eps = 1.0;
    burl_sinkhorn_info scaled = solve(t, form % 2, &options);
    burl_sinkhorn_plan_log(t->P[1], 60, t->C, 60, 60, 60, t->f, t->g, options.eps);
    assert_true(from_zero.converged && scaled.converged);
    if (!(scaled.sweeps * 10 < from_zero.sweeps))
      fail_msg("%zu sweeps with eps-scaling, %zu without", scaled.sweeps, from_zero.sweeps);
    for (size_t i = 0; i < 60 * 60; i++)
      assert_float_equal(t->P[0][i], t->P[1][i], 2e-4);
  }
}

static void eps_scaling_is_off_unless_asked_for(void **state) {
  fixture *t = *state;
  double kept[MOST];
  make_problem(t, 40, 30, 1.0, 5);
  burl_sinkhorn_options options = options_for(0.05, 1e-8, 0);
  burl_sinkhorn_info plain = solve(t, 0, &options);
  memcpy(kept, t->f, sizeof kept);
  options.start_eps = 0.05;
  burl_sinkhorn_info same = solve(t, 0, &options);
  assert_int_equal(plain.sweeps, same.sweeps);
  assert_memory_equal(kept, t->f, 40 * sizeof *kept);
  const double wrong[] = {-1.0, (double)NAN, (double)INFINITY};
  for (size_t i = 0; i < 3; i++) {
    options.start_eps = wrong[i];
    assert_int_equal(burl_sinkhorn_solve_log(t->solver, t->f, t->g, t->C, 30, 40, 30, t->a, t->b, 0,
                                             &options, NULL),
                     BURL_ERR_ARGUMENT);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accelerated_equals_plain_at_convergence),
      cmocka_unit_test(slow_problems_take_far_fewer_sweeps),
      cmocka_unit_test(easy_problems_take_hardly_more),
      cmocka_unit_test(safeguard_holds_at_the_extremes),
      cmocka_unit_test(threads_give_the_same_bytes),
      cmocka_unit_test(solving_fast_allocates_nothing),
      cmocka_unit_test(eps_scaling_reaches_the_same_plan),
      cmocka_unit_test(eps_scaling_is_off_unless_asked_for),
      cmocka_unit_test(batch_equals_single_solves),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
