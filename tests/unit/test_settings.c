/* Settings by name: every member of the options, there and back, its range, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <burl/prototype.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t index_of(const char *name) {
  for (size_t i = 0; i < burl_settings_get_count(); i++)
    if (strcmp(burl_settings_get_name(i), name) == 0) return i;
  fail_msg("there is no setting %s", name);
  return 0;
}

static const char *get(const burl_bank_options *options, const char *name) {
  static char text[32];
  burl_settings_get(text, sizeof text, options, index_of(name));
  return text;
}

static burl_status set(burl_bank_options *options, const char *name, const char *value) {
  return burl_settings_set(options, name, value, NULL);
}

/* The members in the order of the struct, two values that each takes besides its default, and two
 * that it does not take for its range. */
static const struct {
  const char *name;
  size_t offset;
  const char *good[4], *bad[2];
} members[] = {
#define MEMBER(member) #member, offsetof(burl_bank_options, member)
    {MEMBER(method), {"burl", "kmeans", "pradot", "gaussian"}, {"median", "BURL"}},
    {MEMBER(prototypes), {"1", "65536", "1000", "7"}, {"0", "65537"}},
    {MEMBER(spatial), {"none", "auto", "grid", "periodic"}, {"places", "non"}},
    {MEMBER(spatial_weight), {"0", "0.99", "0.3", "0.1234567890123456"}, {"-0.001", "0.991"}},
    {MEMBER(seed), {"0", "18446744073709551615", "1", "9007199254740993"}, {"-1", "1.5"}},
    {MEMBER(outliers), {"0", "0.5", "0.02", "0.1"}, {"-0.1", "0.51"}},
    {MEMBER(clean), {"0", "100", "2.5", "6"}, {"-0.5", "100.5"}},
    {MEMBER(start), {"coverage", "random", "coverage", "random"}, {"", "random "}},
    {MEMBER(start_trim), {"0", "0.5", "0.002", "1e-05"}, {"-1e-9", "0.51"}},
    {MEMBER(power), {"1", "16", "2", "3.5"}, {"0.99", "16.5"}},
    {MEMBER(trim), {"0", "0.5", "0.03", "0.25"}, {"-0.1", "0.6"}},
    {MEMBER(marginals), {"nearest", "equal", "relaxed", "nearest"}, {"near", "nearest equal"}},
    {MEMBER(entropy), {"1e-06", "0.3", "1e+06", "0.01"}, {"0", "1e7"}},
    {MEMBER(sweeps), {"1", "40", "1000000", "100"}, {"0", "1000001"}},
    {MEMBER(steps), {"0", "8", "1000000", "100"}, {"-1", "1000001"}},
    {MEMBER(batch), {"1", "6000", "1000000", "64"}, {"0", "1000001"}},
    {MEMBER(damping), {"1e-06", "1", "0.5", "0.05"}, {"0", "1.01"}},
    {MEMBER(iterations), {"1", "25", "1000000", "100"}, {"0", "1000001"}},
    {MEMBER(shrinkage), {"1e-09", "0.01", "1e+06", "1"}, {"0", "1e7"}},
    {MEMBER(radius), {"0", "1", "0.5", "0.75"}, {"-0.5", "1.5"}},
    {MEMBER(pradot.per_cell), {"0.001", "1024", "16", "0.25"}, {"0", "1025"}},
    {MEMBER(pradot.alpha), {"0", "1", "0.3", "0.5"}, {"-0.1", "1.1"}},
    {MEMBER(pradot.eps), {"0.0001", "1e+06", "0.01", "0.05"}, {"0", "1e7"}},
    {MEMBER(pradot.sweeps), {"1", "100", "1000000", "30"}, {"0", "1000001"}},
    {MEMBER(pradot.ema), {"0", "1", "0.95", "0.5"}, {"-0.1", "1.1"}},
    {MEMBER(pradot.batch), {"1", "64", "1000000", "8"}, {"0", "1000001"}},
    {MEMBER(pradot.epochs), {"1", "50", "100000", "3"}, {"0", "100001"}},
    {MEMBER(pradot.validation), {"0.01", "0.9", "0.2", "0.4"}, {"0", "0.91"}},
    {MEMBER(pradot.divisor), {"batch", "epoch", "batch", "epoch"}, {"image", "batch epoch"}},
    {MEMBER(pradot.scale), {"image", "training", "image", "training"}, {"batch", "imag"}},
    {MEMBER(pradot.start), {"uniform", "features", "uniform", "features"}, {"random", ""}},
    {MEMBER(pradot.times_count), {"on", "off", "on", "off"}, {"2", "yes"}},
    {MEMBER(pradot.drop_last), {"off", "on", "off", "on"}, {"-1", "On"}},
    {MEMBER(pradot.learn_positions), {"off", "on", "off", "on"}, {"00", "true"}},
    {MEMBER(pradot.warm_start), {"off", "on", "off", "on"}, {"", "on "}},
    {MEMBER(pradot.corners), {"on", "off", "on", "off"}, {"1.0", "of"}},
    {MEMBER(pradot.side), {"32", "1024", "224", "64"}, {"31", "1025"}},
#undef MEMBER
};
enum { MEMBERS = sizeof members / sizeof *members };

static void test_every_member_is_a_setting(void **state) {
  (void)state;
  assert_int_equal(burl_settings_get_count(), MEMBERS);
  for (size_t i = 0; i < MEMBERS; i++) {
    assert_string_equal(burl_settings_get_name(i), members[i].name);
    assert_true(i == 0 || members[i].offset > members[i - 1].offset);
    assert_true(strlen(burl_settings_get_help(i)) > 10);
  }
}

/* The help of a number has its range, that of a choice its values. */
static void test_help_has_the_range(void **state) {
  (void)state;
  for (size_t i = 0; i < MEMBERS; i++) {
    const char *help = burl_settings_get_help(i);
    if (strcmp(members[i].name, "seed") == 0) continue;
    if (members[i].good[0][0] >= 'a')
      for (size_t v = 0; v < 4; v++)
        assert_non_null(strstr(help, members[i].good[v]));
    else
      assert_non_null(strstr(help, ".."));
  }
  assert_string_equal(burl_settings_get_help(index_of("spatial")),
                      "what a patch's position is: none grid periodic auto");
  assert_non_null(strstr(burl_settings_get_help(index_of("prototypes")), "1..65536"));
  assert_non_null(strstr(burl_settings_get_help(index_of("spatial_weight")), "0..0.99"));
  assert_non_null(strstr(burl_settings_get_help(index_of("power")), "1..16"));
}

/* A value goes into its member and no other, and comes out as the same text. */
static void test_there_and_back(void **state) {
  (void)state;
  for (size_t i = 0; i < MEMBERS; i++)
    for (size_t v = 0; v < 4; v++) {
      burl_bank_options before = burl_bank_default_options(), after = before;
      size_t end = i + 1 < MEMBERS ? members[i + 1].offset : sizeof after;
      burl_status status = set(&after, members[i].name, members[i].good[v]);
      if (status != BURL_OK) fail_msg("%s is not %s", members[i].name, members[i].good[v]);
      assert_string_equal(get(&after, members[i].name), members[i].good[v]);
      assert_memory_equal(&before, &after, members[i].offset);
      assert_memory_equal((const char *)&before + end, (const char *)&after + end,
                          sizeof after - end);
      assert_int_equal(burl_settings_check(&after, NULL), BURL_OK);
    }
}

static void test_members_have_the_values(void **state) {
  (void)state;
  burl_bank_options o = burl_bank_default_options();
  for (size_t i = 0; i < MEMBERS; i++)
    assert_int_equal(set(&o, members[i].name, members[i].good[3]), BURL_OK);
  assert_int_equal(o.method, BURL_METHOD_GAUSSIAN);
  assert_int_equal(o.prototypes, 7);
  assert_int_equal(o.spatial, BURL_SPATIAL_PERIODIC);
  assert_true(o.spatial_weight == 0.1234567890123456);
  assert_true(o.seed == UINT64_C(9007199254740993));
  assert_int_equal(o.start, BURL_START_RANDOM);
  assert_true(o.start_trim == 1e-5 && o.outliers == 0.1 && o.clean == 6.0 && o.power == 3.5 &&
              o.trim == 0.25);
  assert_int_equal(o.marginals, BURL_MARGINALS_NEAREST);
  assert_true(o.entropy == 0.01 && o.damping == 0.05 && o.shrinkage == 1.0 && o.radius == 0.75);
  assert_true(o.sweeps == 100 && o.steps == 100 && o.batch == 64 && o.iterations == 100);
}

/* Any double comes back to the last bit. */
static void test_reals_come_back(void **state) {
  (void)state;
  static const double reals[] = {1.0 / 3.0, 0.1, 5e-324, 0x1.fffffffffffffp-2, 0.30000000000000004};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    burl_bank_options a = burl_bank_default_options(), b = a;
    a.trim = reals[i];
    char text[32];
    burl_settings_get(text, sizeof text, &a, index_of("trim"));
    assert_true(strlen(text) < 31);
    assert_int_equal(set(&b, "trim", text), BURL_OK);
    assert_true(a.trim == b.trim);
  }
}

static void expect_refused(const char *name, const char *value) {
  burl_bank_options before = burl_bank_default_options(), after = before;
  burl_diag diag = {.status = BURL_OK};
  burl_status status = burl_settings_set(&after, name, value, &diag);
  if (status != BURL_ERR_ARGUMENT) fail_msg("%s took '%s'", name, value);
  assert_int_equal(diag.status, BURL_ERR_ARGUMENT);
  assert_memory_equal(&before, &after, sizeof after);
  assert_non_null(strstr(diag.reason, name));
}

static void test_out_of_range(void **state) {
  (void)state;
  for (size_t i = 0; i < MEMBERS; i++)
    for (size_t v = 0; v < 2; v++)
      expect_refused(members[i].name, members[i].bad[v]);
}

static void test_no_numbers(void **state) {
  (void)state;
  static const char *const names[] = {"prototypes", "seed", "trim", "steps", "entropy"};
  static const char *const values[] = {"",    " ",    "one", "1x",   " 1",    "1 ",  "\t1", "+1",
                                       "nan", "-nan", "inf", "-inf", "1e999", "--1", "0,3", "0x1"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
      expect_refused(names[i], values[v]);
  static const char *const whole[] = {"1.0", "1e2", "18446744073709551616", "99999999999999999999"};
  for (size_t v = 0; v < sizeof whole / sizeof *whole; v++) {
    expect_refused("prototypes", whole[v]);
    expect_refused("seed", whole[v]);
  }
}

static void test_sentences(void **state) {
  (void)state;
  static const struct {
    const char *name, *value, *sentence;
  } cases[] = {
      {"method", "median", "method is 'median', not one of: burl pradot coreset gaussian kmeans"},
      {"prototypes", "0", "prototypes is 0, not between 1 and 65536"},
      {"trim", "0.6", "trim is 0.6, not between 0 and 0.5"},
      {"trim", "some", "trim is 'some', which is not a real number"},
      {"batch", "1.5", "batch is '1.5', which is not a whole number"},
      {"colour", "red", "there is no setting named colour"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    burl_bank_options options = burl_bank_default_options();
    burl_diag diag;
    assert_int_equal(burl_settings_set(&options, cases[i].name, cases[i].value, &diag),
                     BURL_ERR_ARGUMENT);
    assert_string_equal(diag.reason, cases[i].sentence);
  }
}

static void test_no_such_setting(void **state) {
  (void)state;
  static const char *const names[] = {"", "Method", "method ", "prototype", "spatial-weight"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    expect_refused(names[i], "1");
}

static void test_names_of_values(void **state) {
  (void)state;
  burl_bank_options options = burl_bank_default_options();
  for (int i = 0; i < BURL_METHOD_COUNT; i++) {
    options.method = (burl_method)i;
    assert_string_equal(burl_method_get_name(options.method), get(&options, "method"));
  }
  for (int i = 0; i < BURL_SPATIAL_COUNT; i++) {
    options.spatial = (burl_spatial)i;
    assert_string_equal(burl_spatial_get_name(options.spatial), get(&options, "spatial"));
  }
  assert_string_equal(burl_method_get_name(BURL_METHOD_COUNT), "?");
  assert_string_equal(burl_spatial_get_name(BURL_SPATIAL_COUNT), "?");
}

/* Flags are words, or 0 and 1; by hand, any number but 0 is on. */
static void test_flags(void **state) {
  (void)state;
  burl_bank_options o = burl_bank_default_options();
  assert_string_equal(get(&o, "pradot.corners"), "on");
  assert_int_equal(set(&o, "pradot.corners", "0"), BURL_OK);
  assert_true(o.pradot.corners == 0);
  assert_int_equal(set(&o, "pradot.corners", "1"), BURL_OK);
  assert_true(o.pradot.corners == 1);
  o.pradot.corners = -7;
  assert_string_equal(get(&o, "pradot.corners"), "on");
  assert_int_equal(burl_settings_check(&o, NULL), BURL_OK);
}

/* Settings of pradot have no part in other methods; all others have one always. */
static void test_parts(void **state) {
  (void)state;
  burl_bank_options o = burl_bank_default_options();
  for (int method = 0; method < BURL_METHOD_COUNT; method++) {
    o.method = (burl_method)method;
    for (size_t i = 0; i < MEMBERS; i++)
      assert_int_equal(burl_settings_has_part(&o, i),
                       method == BURL_METHOD_PRADOT || strncmp(members[i].name, "pradot.", 7));
  }
}

/* Options that were filled in by hand are checked as well. */
static void test_check(void **state) {
  (void)state;
  const burl_bank_options good = burl_bank_default_options();
  burl_bank_options bad[32];
  size_t count = 0;
  assert_int_equal(burl_settings_check(&good, NULL), BURL_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    bad[i] = good;
  bad[count++].method = BURL_METHOD_COUNT;
  bad[count++].prototypes = 0;
  bad[count++].prototypes = SIZE_MAX;
  bad[count++].spatial = BURL_SPATIAL_COUNT;
  bad[count++].spatial_weight = 1.0;
  bad[count++].spatial_weight = (double)NAN;
  bad[count++].start = BURL_START_COUNT;
  bad[count++].start_trim = -0.1;
  bad[count++].outliers = (double)INFINITY;
  bad[count++].clean = -1.0;
  bad[count++].power = 0.0;
  bad[count++].trim = (double)NAN;
  bad[count++].marginals = BURL_MARGINALS_COUNT;
  bad[count++].entropy = 0.0;
  bad[count++].sweeps = 0;
  bad[count++].steps = SIZE_MAX;
  bad[count++].batch = 0;
  bad[count++].damping = 0.0;
  bad[count++].iterations = 0;
  bad[count++].shrinkage = 0.0;
  bad[count++].radius = -1.0;
  bad[count++].pradot.per_cell = 1.5;
  bad[count++].pradot.alpha = (double)NAN;
  bad[count++].pradot.epochs = 0;
  bad[count++].pradot.scale = BURL_PRADOT_SCALE_COUNT;
  bad[count++].pradot.side = 16;
  for (size_t i = 0; i < count; i++) {
    burl_diag diag = {.status = BURL_OK};
    if (burl_settings_check(&bad[i], &diag) != BURL_ERR_ARGUMENT) fail_msg("bad options %zu", i);
    assert_int_equal(diag.status, BURL_ERR_ARGUMENT);
    assert_true(strlen(diag.reason) > 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_member_is_a_setting),
      cmocka_unit_test(test_help_has_the_range),
      cmocka_unit_test(test_there_and_back),
      cmocka_unit_test(test_members_have_the_values),
      cmocka_unit_test(test_reals_come_back),
      cmocka_unit_test(test_out_of_range),
      cmocka_unit_test(test_no_numbers),
      cmocka_unit_test(test_sentences),
      cmocka_unit_test(test_no_such_setting),
      cmocka_unit_test(test_names_of_values),
      cmocka_unit_test(test_check),
      cmocka_unit_test(test_flags),
      cmocka_unit_test(test_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
