/* detect_sinkhorn.h: against plain loops and central differences, cases by hand, hard and bad
 * input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_sinkhorn_nms.h"
#include "unit/failing.h"

#include <burl/transport_assignment.h>

#include <math.h>
#include <string.h>

#define MOST REF_NMS_MOST
#define SWEEPS 4000

typedef struct arrays {
  double scores[MOST], boxes[4 * MOST], features[MOST * MOST], plan[MOST * MOST], entropy[MOST];
  size_t seeds[MOST];
  double alpha, beta, gamma, tau;
} arrays;

static arrays in, out, weights, gradient;

static burl_sinkhorn_nms *open_nms(size_t d) {
  burl_sinkhorn_nms *self = NULL;
  assert_int_equal(burl_sinkhorn_nms_new(&self, MOST, MOST, d, SWEEPS), BURL_OK);
  return self;
}

static burl_sinkhorn_nms_input input_of(const arrays *from, size_t n, size_t slots) {
  return (burl_sinkhorn_nms_input){.n = n,
                                   .slots = slots,
                                   .scores = from->scores,
                                   .boxes = from->boxes,
                                   .features = from->features};
}

static burl_sinkhorn_nms_output output_into(arrays *to) {
  return (burl_sinkhorn_nms_output){.scores = to->scores,
                                    .boxes = to->boxes,
                                    .features = to->features,
                                    .plan = to->plan,
                                    .entropy = to->entropy,
                                    .seeds = to->seeds};
}

static burl_sinkhorn_nms_loss loss_of(const arrays *from) {
  return (burl_sinkhorn_nms_loss){from->scores, from->boxes, from->features, from->plan};
}

static burl_sinkhorn_nms_gradient gradient_into(arrays *to) {
  return (burl_sinkhorn_nms_gradient){to->scores, to->boxes,  to->features, &to->alpha,
                                      &to->beta,  &to->gamma, &to->tau};
}

static void fill(uint64_t seed) {
  burl_random random = burl_random_start(seed, 7);
  for (size_t i = 0; i < MOST; i++)
    in.scores[i] = 0.2 + 0.8 * burl_random_uniform(&random);
  for (size_t i = 0; i < MOST; i++)
    weights.scores[i] = burl_random_normal(&random);
  for (size_t i = 0; i < 4 * MOST; i++) {
    in.boxes[i] = burl_random_uniform(&random);
    weights.boxes[i] = burl_random_normal(&random);
  }
  for (size_t i = 0; i < MOST * MOST; i++) {
    in.features[i] = burl_random_normal(&random);
    weights.features[i] = burl_random_normal(&random);
    weights.plan[i] = burl_random_normal(&random);
  }
}

static burl_sinkhorn_nms_options options_of(int form, double tau, size_t sweeps) {
  burl_sinkhorn_nms_options options = burl_sinkhorn_nms_default_options();
  options.form = form ? BURL_SINKHORN_NMS_BALANCED : BURL_SINKHORN_NMS_BIN;
  options.alpha = 0.8;
  options.beta = 0.6;
  options.gamma = 1.3;
  options.tau = tau;
  options.sweeps = sweeps;
  return options;
}

static burl_sinkhorn_nms_info run(burl_sinkhorn_nms *self, size_t n, size_t slots,
                                  const burl_sinkhorn_nms_options *options) {
  burl_sinkhorn_nms_input input = input_of(&in, n, slots);
  burl_sinkhorn_nms_output output = output_into(&out);
  burl_sinkhorn_nms_info info;
  assert_int_equal(burl_sinkhorn_nms_forward(self, &output, &input, options, &info), BURL_OK);
  return info;
}

static void close_to(const char *what, const double *found, const double *wanted, size_t count,
                     double relative) {
  double scale = 0;
  for (size_t i = 0; i < count; i++)
    scale = fmax(scale, fabs(wanted[i]));
  for (size_t i = 0; i < count; i++)
    if (!(fabs(found[i] - wanted[i]) <= relative * scale + 1e-12))
      fail_msg("%s[%zu] is %.15g, should be %.15g", what, i, found[i], wanted[i]);
}

static void differences(double *wanted, ref_nms *plain, double *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double kept = x[i], step = 1e-6;
    x[i] = kept + step;
    long double up = ref_nms_value(plain, NULL, NULL, NULL, NULL, NULL);
    x[i] = kept - step;
    long double down = ref_nms_value(plain, NULL, NULL, NULL, NULL, NULL);
    x[i] = kept;
    wanted[i] = (double)((up - down) / (2 * (long double)step));
  }
}

static void check_case(size_t n, size_t slots, size_t d, const burl_sinkhorn_nms_options *options) {
  static arrays plain_out;
  static double wanted[MOST * MOST];
  burl_sinkhorn_nms *self = open_nms(d);
  run(self, n, slots, options);
  ref_nms plain = {input_of(&in, n, slots), *options, d, out.seeds, 0, loss_of(&weights)};
  ref_nms_value(&plain, plain_out.scores, plain_out.boxes, plain_out.features, plain_out.plan,
                &plain.farthest);
  close_to("scores", out.scores, plain_out.scores, slots, 1e-12);
  close_to("boxes", out.boxes, plain_out.boxes, 4 * slots, 1e-12);
  close_to("features", out.features, plain_out.features, d * slots, 1e-12);
  close_to("plan", out.plan, plain_out.plan, n * slots, 1e-12);
  memset(&gradient, 0, sizeof gradient);
  burl_sinkhorn_nms_gradient to = gradient_into(&gradient);
  burl_sinkhorn_nms_loss loss = loss_of(&weights);
  assert_int_equal(burl_sinkhorn_nms_backward(self, &to, &loss, &plain.input), BURL_OK);
  differences(wanted, &plain, in.scores, n);
  close_to("dscores", gradient.scores, wanted, n, 1e-7);
  differences(wanted, &plain, in.boxes, 4 * n);
  close_to("dboxes", gradient.boxes, wanted, 4 * n, 1e-7);
  differences(wanted, &plain, in.features, d * n);
  close_to("dfeatures", gradient.features, wanted, d * n, 1e-7);
  double found[] = {gradient.alpha, gradient.beta, gradient.gamma, gradient.tau};
  double *options_at[] = {&plain.options.alpha, &plain.options.beta, &plain.options.gamma,
                          &plain.options.tau};
  for (size_t i = 0; i < 4; i++)
    differences(&wanted[i], &plain, options_at[i], 1);
  close_to("doptions", found, wanted, 4, 1e-7);
  burl_sinkhorn_nms_free(self);
}

static void test_gradients(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{9, 3, 4}, {6, 6, 3}, {7, 1, 2}, {1, 1, 3}, {8, 4, 0}};
  for (size_t s = 0; s < 5; s++)
    for (int form = 0; form < 2; form++)
      for (size_t sweeps = 1; sweeps <= 10; sweeps += 9) {
        fill(10 + s);
        burl_sinkhorn_nms_options options = options_of(form, 0.15, sweeps);
        check_case(sizes[s][0], sizes[s][1], sizes[s][2], &options);
      }
}

/* The gate between the slots' scores: those below pass nothing on but through the plan. */
static void test_gate(void **state) {
  (void)state;
  fill(3);
  burl_sinkhorn_nms *self = open_nms(4);
  burl_sinkhorn_nms_options options = options_of(0, 0.1, 10);
  assert_int_equal(run(self, 9, 3, &options).kept, 3);
  double low = fmin(out.scores[0], fmin(out.scores[1], out.scores[2]));
  options.gate = low + 1e-4;
  burl_sinkhorn_nms_info info = run(self, 9, 3, &options);
  assert_true(info.kept < 3 && info.kept > 0);
  for (size_t k = 0; k < 3; k++)
    if (out.scores[k] <= 0)
      for (size_t t = 0; t < 4; t++)
        assert_true(out.boxes[4 * k + t] == 0.0 && out.features[4 * k + t] == 0.0);
  burl_sinkhorn_nms_free(self);
  check_case(9, 3, 4, &options);
}

static void test_marginals(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = open_nms(4);
  for (int form = 0; form < 2; form++) {
    fill(20);
    burl_sinkhorn_nms_options options = options_of(form, 0.2, 1000);
    burl_sinkhorn_nms_info info = run(self, 12, 5, &options);
    assert_true(info.row_error < 1e-9);
    assert_true(info.entropy > 0 && info.entropy < log(6));
    double mean = 0;
    for (size_t j = 0; j < 12; j++) {
      double rest = form ? 5.0 / 12 : 1, inside = 0, logs = 0;
      for (size_t k = 0; k < 5; k++) {
        double p = out.plan[5 * j + k] / rest;
        inside += p;
        logs -= p * log(p);
      }
      if (!form) logs -= (1 - inside) * log(1 - inside); /* the bin has what is missing to 1 */
      assert_true(fabs(out.entropy[j] - logs) < 1e-8);
      mean += out.entropy[j] / 12;
    }
    assert_true(fabs(info.entropy - mean) < 1e-12);
    for (size_t k = 0; k < 5; k++) {
      double sum = 0;
      for (size_t j = 0; j < 12; j++)
        sum += out.plan[5 * j + k];
      assert_true(fabs(sum - 1) < 1e-12);
    }
    for (size_t j = 0; form && j < 12; j++) {
      double sum = 0;
      for (size_t k = 0; k < 5; k++)
        sum += out.plan[5 * j + k];
      assert_true(fabs(sum - 5.0 / 12) < 1e-9);
    }
  }
  burl_sinkhorn_nms_free(self);
}

/* alpha (1 - s) is the same all along a row: nothing where balanced, the choice with a bin. */
static void test_row_constants(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = open_nms(4);
  for (int form = 0; form < 2; form++) {
    static double before[MOST * MOST];
    fill(30);
    burl_sinkhorn_nms_options options = options_of(form, 0.2, 10);
    run(self, 12, 5, &options);
    memcpy(before, out.plan, sizeof before);
    options.alpha += 3;
    run(self, 12, 5, &options);
    double moved = 0;
    for (size_t i = 0; i < 12 * 5; i++)
      moved = fmax(moved, fabs(out.plan[i] - before[i]));
    assert_true(form ? moved < 1e-12 : moved > 1e-2);
  }
  burl_sinkhorn_nms_free(self);
}

static void test_order_does_not_matter(void **state) {
  (void)state;
  static arrays kept_in, kept_out;
  size_t n = 11, d = 4;
  burl_sinkhorn_nms *self = open_nms(d);
  for (int form = 0; form < 2; form++) {
    fill(40);
    burl_sinkhorn_nms_options options = options_of(form, 0.1, 10);
    run(self, n, 4, &options);
    kept_in = in;
    kept_out = out;
    for (size_t j = 0; j < n; j++) { /* 4 and 11 have no common factor */
      size_t from = (4 * j + 3) % n;
      in.scores[j] = kept_in.scores[from];
      memcpy(in.boxes + 4 * j, kept_in.boxes + 4 * from, 4 * sizeof *in.boxes);
      memcpy(in.features + d * j, kept_in.features + d * from, d * sizeof *in.features);
    }
    run(self, n, 4, &options);
    close_to("scores", out.scores, kept_out.scores, 4, 1e-12);
    close_to("boxes", out.boxes, kept_out.boxes, 16, 1e-12);
    close_to("features", out.features, kept_out.features, 4 * d, 1e-12);
    for (size_t j = 0; j < n; j++)
      close_to("plan", out.plan + 4 * j, kept_out.plan + 4 * ((4 * j + 3) % n), 4, 1e-11);
  }
  burl_sinkhorn_nms_free(self);
}

/* Two things with three boxes each, the best of which score 0.9 and 0.8, and two strays. */
static void lay_toy(void) {
  static const double scores[] = {0.9, 0.6, 0.5, 0.8, 0.6, 0.4, 0.15, 0.1};
  static const double places[][2] = {{1, 1}, {1, 1}, {1, 1}, {8, 8},
                                     {8, 8}, {8, 8}, {1, 8}, {8, 1}};
  memset(&in, 0, sizeof in);
  for (size_t j = 0; j < 8; j++) {
    in.scores[j] = scores[j];
    for (size_t t = 0; t < 4; t++)
      in.boxes[4 * j + t] = places[j][t % 2] + (t < 2 ? -0.5 : 0.5);
    in.features[3 * j + (j < 3 ? 0 : j < 6 ? 1 : 2)] = 1;
  }
}

static void test_toy(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = open_nms(3);
  burl_sinkhorn_nms_options options = burl_sinkhorn_nms_default_options();
  options.sweeps = 500;
  lay_toy();
  /* seeded by the two best of all; both clusters have theirs */
  run(self, 8, 2, &options);
  assert_int_equal(out.seeds[0], 0);
  assert_int_equal(out.seeds[1], 3);
  assert_true(out.scores[0] > 0.8 && out.scores[1] > 0.7);
  for (size_t t = 0; t < 8; t++) /* duplicates merge into the box they share */
    assert_true(fabs(out.boxes[t] - in.boxes[t < 4 ? t : 12 + t - 4]) < 0.01);
  for (size_t j = 12; j < 16; j++)
    assert_true(out.plan[j] < 1e-3); /* strays go to the bin */
  options.tau = 0.02;
  run(self, 8, 2, &options);
  assert_true(fabs(out.scores[0] - 0.9) < 0.01 && fabs(out.scores[1] - 0.8) < 0.01);
  options.form = BURL_SINKHORN_NMS_BALANCED;
  run(self, 8, 2, &options);
  for (size_t j = 0; j < 6; j++) /* every box gives the same, strays too */
    assert_true(fabs(out.plan[2 * j + (j >= 3)] - 0.25) < 1e-6);
  assert_true(fabs(out.plan[12] + out.plan[13] - 0.25) < 1e-6);
  burl_sinkhorn_nms_free(self);
}

static void test_cold_is_exact(void **state) {
  (void)state;
  size_t n = 12, slots = 4, column[MOST], d = 4;
  static double cost[MOST * MOST];
  burl_sinkhorn_nms *self = open_nms(d);
  burl_assignment *exact = NULL;
  assert_int_equal(burl_assignment_new(&exact, MOST, MOST), BURL_OK);
  for (uint64_t seed = 50; seed < 56; seed++) {
    fill(seed);
    burl_sinkhorn_nms_options options = options_of(0, 0.004, SWEEPS);
    options.alpha = 2; /* so that seeds are not always the answer */
    options.gamma = -1;
    run(self, n, slots, &options);
    double farthest = 0;
    for (int pass = 0; pass < 2; pass++)
      for (size_t k = 0; k < slots; k++)
        for (size_t j = 0; j < n; j++) {
          const double *a = in.boxes + 4 * j, *b = in.boxes + 4 * out.seeds[k];
          const double *z = in.features + d * j, *m = in.features + d * out.seeds[k];
          double distance = hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2;
          double zz = 0, mm = 0, zm = 0;
          for (size_t t = 0; t < d; t++) {
            zz += z[t] * z[t];
            mm += m[t] * m[t];
            zm += z[t] * m[t];
          }
          if (!pass) farthest = fmax(farthest, distance);
          cost[k * n + j] =
              2 * (1 - in.scores[j]) + 0.6 * (1 - zm / sqrt(zz * mm)) - distance / farthest;
        }
    assert_int_equal(burl_assignment_solve(exact, column, NULL, NULL, NULL, cost, n, slots, n),
                     BURL_OK);
    for (size_t k = 0; k < slots; k++)
      assert_true(out.plan[column[k] * slots + k] > 0.9);
  }
  burl_assignment_free(exact);
  burl_sinkhorn_nms_free(self);
}

static void all_finite(size_t n, size_t slots, size_t d) {
  for (size_t k = 0; k < slots; k++) {
    assert_true(isfinite(out.scores[k]));
    for (size_t t = 0; t < 4; t++)
      assert_true(isfinite(out.boxes[4 * k + t]));
    for (size_t t = 0; t < d; t++)
      assert_true(isfinite(out.features[d * k + t]) && isfinite(gradient.features[d * k + t]));
  }
  for (size_t i = 0; i < n * slots; i++)
    assert_true(isfinite(out.plan[i]));
}

static void test_edges(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = open_nms(3);
  burl_sinkhorn_nms_loss loss = loss_of(&weights);
  for (int form = 0; form < 2; form++)
    for (size_t n = 0; n <= 5; n++) {
      fill(60 + n);
      for (size_t j = 0; j < n; j++) {
        in.scores[j] = 0.5; /* equal: the lowest index first */
        in.boxes[4 * j] -= 1e6;
      }
      memset(in.features, 0, 3 * sizeof *in.features);
      if (n > 1) memcpy(in.boxes + 4, in.boxes, 4 * sizeof *in.boxes);
      burl_sinkhorn_nms_options options = options_of(form, 0.1, 10);
      burl_sinkhorn_nms_info info = run(self, n, 5, &options);
      assert_int_equal(info.seeded, n);
      assert_int_equal(info.kept, n);
      for (size_t k = 0; k < 5; k++) {
        assert_true(out.seeds[k] == (k < n ? k : SIZE_MAX));
        assert_true((out.scores[k] > 0) == (k < n));
      }
      memset(&gradient, 0, sizeof gradient);
      burl_sinkhorn_nms_gradient to = gradient_into(&gradient);
      burl_sinkhorn_nms_input input = input_of(&in, n, 5);
      assert_int_equal(burl_sinkhorn_nms_backward(self, &to, &loss, &input), BURL_OK);
      all_finite(n, 5, 3);
    }
  burl_sinkhorn_nms_free(self);
}

static burl_status attempt(burl_sinkhorn_nms *self, size_t n, size_t slots,
                           burl_sinkhorn_nms_options options) {
  static arrays before;
  burl_sinkhorn_nms_input input = input_of(&in, n, slots);
  burl_sinkhorn_nms_output output = output_into(&out);
  before = out;
  burl_status status = burl_sinkhorn_nms_forward(self, &output, &input, &options, NULL);
  if (status != BURL_OK) assert_memory_equal(&before, &out, sizeof out);
  return status;
}

static void test_bad_input(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = NULL;
  assert_int_equal(burl_sinkhorn_nms_new(&self, 0, 1, 1, 1), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_nms_new(&self, SIZE_MAX, 1, 1, 1), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_nms_new(&self, 9, 4, 3, 10), BURL_OK);
  fill(70);
  burl_sinkhorn_nms_options good = options_of(0, 0.1, 10), bad = good;
  burl_sinkhorn_nms_gradient to = gradient_into(&gradient);
  burl_sinkhorn_nms_loss loss = loss_of(&weights);
  burl_sinkhorn_nms_input input = input_of(&in, 9, 4);
  assert_int_equal(burl_sinkhorn_nms_backward(self, &to, &loss, &input), BURL_ERR_ARGUMENT);
  bad.tau = 0;
  assert_int_equal(attempt(self, 9, 4, bad), BURL_ERR_ARGUMENT);
  bad.tau = 1e-15;
  assert_int_equal(attempt(self, 9, 4, bad), BURL_ERR_ARGUMENT);
  bad = good;
  bad.beta = (double)NAN;
  assert_int_equal(attempt(self, 9, 4, bad), BURL_ERR_ARGUMENT);
  assert_int_equal(attempt(self, 9, 0, good), BURL_ERR_ARGUMENT);
  assert_int_equal(attempt(self, 10, 4, good), BURL_ERR_SIZE);
  assert_int_equal(attempt(self, 9, 5, good), BURL_ERR_SIZE);
  bad = good;
  bad.sweeps = 11;
  assert_int_equal(attempt(self, 9, 4, bad), BURL_ERR_SIZE);
  double *numbers[] = {&in.scores[8], &in.boxes[30], &in.features[26]};
  for (size_t i = 0; i < 3; i++) {
    double kept = *numbers[i];
    *numbers[i] = i == 1 ? HUGE_VAL : (double)NAN;
    assert_int_equal(attempt(self, 9, 4, good), BURL_ERR_NUMERIC);
    *numbers[i] = kept;
  }
  assert_int_equal(attempt(self, 9, 4, good), BURL_OK);
  weights.features[11] = (double)NAN;
  static arrays before;
  before = gradient;
  assert_int_equal(burl_sinkhorn_nms_backward(self, &to, &loss, &input), BURL_ERR_NUMERIC);
  assert_memory_equal(&before, &gradient, sizeof gradient);
  burl_sinkhorn_nms_free(self);
  burl_sinkhorn_nms_free(NULL);
}

static void test_memory(void **state) {
  (void)state;
  burl_sinkhorn_nms *self = NULL;
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_sinkhorn_nms_new(&self, 9, 4, 3, 10);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(self);
  }
  fill(80);
  burl_sinkhorn_nms_options options = options_of(0, 0.1, 10);
  burl_sinkhorn_nms_gradient to = gradient_into(&gradient);
  burl_sinkhorn_nms_loss loss = loss_of(&weights);
  burl_sinkhorn_nms_input input = input_of(&in, 9, 4);
  fail_allocation_after(-1);
  run(self, 9, 4, &options);
  burl_status status = burl_sinkhorn_nms_backward(self, &to, &loss, &input);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
  burl_sinkhorn_nms_free(self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients),
      cmocka_unit_test(test_gate),
      cmocka_unit_test(test_marginals),
      cmocka_unit_test(test_row_constants),
      cmocka_unit_test(test_order_does_not_matter),
      cmocka_unit_test(test_toy),
      cmocka_unit_test(test_cold_is_exact),
      cmocka_unit_test(test_edges),
      cmocka_unit_test(test_bad_input),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
