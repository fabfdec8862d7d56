/* Floats of 16 bits, and tensors of published files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/half.h"
#include "data_tree.h"
#include "encode/weights.h"
#include "failing.h"
#include <math.h>
#include <string.h>

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Every half comes back from its float; between two neighbours the nearer one is taken. */
static void halves_come_back(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 0x10000u; h++) {
    float value = burl_half_to_float((uint16_t)h);
    if ((h & 0x7fffu) > 0x7c00u) {
      assert_true(isnan(value));
      assert_true(isnan(burl_half_to_float(burl_half_from_float(value))));
      continue;
    }
    assert_int_equal(burl_half_from_float(value), h);
    if ((h & 0x7fffu) >= 0x7bffu) continue;
    float next = burl_half_to_float((uint16_t)(h + 1)), middle = 0.5f * (value + next);
    assert_int_equal(burl_half_from_float(middle), h % 2 ? h + 1 : h); /* the even one */
    assert_int_equal(burl_half_from_float(nextafterf(middle, value)), h);
    assert_int_equal(burl_half_from_float(nextafterf(middle, next)), h + 1);
  }
}

static void halves_at_the_ends(void **state) {
  (void)state;
  assert_true(burl_half_to_float(0x3c00) == 1.0f);
  assert_true(burl_half_to_float(0x0001) == ldexpf(1.0f, -24));
  assert_true(isinf(burl_half_to_float(0xfc00)));
  assert_int_equal(burl_half_from_float(65519.0f), 0x7bff);
  assert_int_equal(burl_half_from_float(65520.0f), 0x7c00);
  assert_int_equal(burl_half_from_float(-INFINITY), 0xfc00);
  assert_int_equal(burl_half_from_float(1e-30f), 0);
  assert_int_equal(burl_half_from_float(-0.0f), 0x8000);
  assert_int_equal(bits_of(burl_bfloat_to_float(0x3f80)), 0x3f800000);
  assert_true(burl_bfloat_to_float(0xc040) == -3.0f);
}

static void write_file(const char *path, const char *prefix, float value) {
  static const uint16_t half[] = {0x3c00, 0xc000}, brain[] = {0x3f80, 0xc000};
  static const int32_t whole[] = {1, 2};
  const float plain[] = {value, -2.0f}, spoilt[] = {1.0f, NAN};
  const struct {
    const char *name;
    burl_dtype dtype;
    const void *data;
  } tensors[] = {{"conv1.weight", BURL_DTYPE_F32, plain},
                 {"half", BURL_DTYPE_F16, half},
                 {"brain", BURL_DTYPE_BF16, brain},
                 {"whole", BURL_DTYPE_I32, whole},
                 {"spoilt", BURL_DTYPE_F32, spoilt}};
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  for (size_t i = 0; i < 5; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, tensors[i].name);
    burl_safetensors_writer_add_tensor(writer, name, tensors[i].dtype, (size_t[]){2, 1}, 2,
                                       tensors[i].data);
  }
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
}

static burl_weights *load(const char *path) {
  burl_weights *weights;
  burl_diag diag = {0};
  if (burl_weights_load(&weights, path, &diag) != BURL_OK) fail_msg("%s", diag.reason);
  return weights;
}

static void gives_floats_of_all_types(void **state) {
  static const char *const names[] = {"conv1.weight", "half", "brain"};
  static const char *const prefixes[] = {"", "model.", "backbone."};
  (void)state;
  tree t;
  tree_make(&t);
  for (size_t p = 0; p < 3; p++) {
    write_file(tree_path(&t, "w"), prefixes[p], 1.0f);
    burl_weights *weights = load(tree_path(&t, "w"));
    for (size_t i = 0; i < 3; i++) {
      float out[2] = {0};
      size_t rank = 0, shape[BURL_TENSOR_MAX_RANK];
      assert_true(burl_weights_has(weights, names[i]));
      assert_true(burl_weights_get_shape(weights, names[i], &rank, shape));
      assert_true(rank == 2 && shape[0] == 2 && shape[1] == 1);
      assert_int_equal(burl_weights_get(weights, out, names[i], shape, rank, NULL), BURL_OK);
      assert_true(out[0] == 1.0f && out[1] == -2.0f);
    }
    assert_false(burl_weights_has(weights, "nothing"));
    burl_weights_free(weights);
  }
  tree_remove(&t);
}

static void hash_tells_weights_apart(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  write_file(tree_path(&t, "a"), "", 1.0f);
  write_file(tree_path(&t, "b"), "", 1.0f);
  write_file(tree_path(&t, "c"), "", 1.5f);
  burl_weights *a = load(tree_path(&t, "a")), *b = load(tree_path(&t, "b"));
  burl_weights *c = load(tree_path(&t, "c"));
  assert_int_equal(strlen(burl_weights_get_hash(a)), 16);
  assert_string_equal(burl_weights_get_hash(a), burl_weights_get_hash(b));
  assert_string_not_equal(burl_weights_get_hash(a), burl_weights_get_hash(c));
  burl_weights_free(a), burl_weights_free(b), burl_weights_free(c);
  tree_remove(&t);
}

static void refuse(const burl_weights *weights, const char *name, size_t rank, burl_status expected,
                   const char *word) {
  float out[2];
  burl_diag diag = {0};
  const size_t shape[] = {2, 1};
  assert_int_equal(burl_weights_get(weights, out, name, shape, rank, &diag), expected);
  if (!strstr(diag.reason, word) || !strstr(diag.reason, name))
    fail_msg("\"%s\" lacks \"%s\" or \"%s\"", diag.reason, word, name);
}

static void refuses_by_name(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  write_file(tree_path(&t, "w"), "", 1.0f);
  burl_weights *weights = load(tree_path(&t, "w"));
  refuse(weights, "nothing", 2, BURL_ERR_FORMAT, "is missing");
  refuse(weights, "half", 1, BURL_ERR_FORMAT, "has shape 2 x 1, not 2");
  refuse(weights, "whole", 2, BURL_ERR_FORMAT, "has type I32");
  refuse(weights, "spoilt", 2, BURL_ERR_NUMERIC, "not finite, at 1");
  burl_weights_free(weights);
  tree_remove(&t);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  write_file(tree_path(&t, "w"), "", 1.0f);
  for (long i = 0;; i++) {
    burl_weights *weights = NULL;
    fail_allocation_after(i);
    burl_status status = burl_weights_load(&weights, tree_path(&t, "w"), NULL);
    stop_failing();
    if (status == BURL_OK) {
      burl_weights_free(weights);
      break;
    }
    assert_null(weights);
  }
  tree_remove(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(halves_come_back),          cmocka_unit_test(halves_at_the_ends),
      cmocka_unit_test(gives_floats_of_all_types), cmocka_unit_test(hash_tells_weights_apart),
      cmocka_unit_test(refuses_by_name),           cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
