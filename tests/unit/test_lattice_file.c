#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "print_case.h"

#include <stdio.h>
#include <unistd.h>

/* Writes what `fill` adds, reads it, and loads a lattice from it. */
static burl_status through_file(burl_lattice *lattice, burl_diag *diag,
                                void (*fill)(burl_safetensors_writer *, const void *),
                                const void *context) {
  char folder[256], path[300];
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-lattice-XXXXXX", base && *base ? base : "/tmp");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/l.burl", folder);
  burl_safetensors_writer *writer;
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  fill(writer, context);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_safetensors_load(&file, path, NULL), BURL_OK);
  burl_status status = burl_lattice_load(lattice, file, diag);
  burl_safetensors_free(file);
  unlink(path);
  rmdir(folder);
  return status;
}

static void fill_with_lattice(burl_safetensors_writer *writer, const void *lattice) {
  assert_int_equal(burl_lattice_save(lattice, writer), BURL_OK);
}

static void test_saved_and_loaded(void **state) {
  (void)state;
  for (int dimensions = 0; dimensions <= 2; dimensions++) {
    sample_image s[IMAGES];
    burl_lattice *lattice = calloc(2, sizeof *lattice);
    print p = print_of(7.0, 96.0, dimensions == 1);
    draw_all(s, IMAGES, &p, 200, 240, 3, 0.0);
    if (dimensions > 0) learn(lattice, s, IMAGES);
    assert_int_equal(lattice->dimensions, dimensions);
    assert_int_equal(through_file(&lattice[1], NULL, fill_with_lattice, lattice), BURL_OK);
    assert_int_equal(lattice[1].dimensions, dimensions);
    burl_phase one, two;
    assert_int_equal(burl_lattice_align(&one, &lattice[0], &s[0].view), BURL_OK);
    assert_int_equal(burl_lattice_align(&two, &lattice[1], &s[0].view), BURL_OK);
    assert_memory_equal(&one, &two, sizeof one);
    free_all(s, IMAGES);
    free(lattice);
  }
}

typedef struct bad_file {
  const char *dimensions;
  float wave[4], strength;
  size_t side;
  int broken; /* a sample of the pattern is: 1 not finite, 2 huge */
  burl_status status;
} bad_file;

static void fill_with_bad(burl_safetensors_writer *writer, const void *context) {
  static float pattern[BURL_LATTICE_SIDE * BURL_LATTICE_SIDE];
  const bad_file *bad = context;
  pattern[7] = bad->broken == 1 ? NAN : bad->broken == 2 ? 1e30f : 0.5f;
  burl_safetensors_writer_add_metadata(writer, "lattice.dimensions", bad->dimensions);
  burl_safetensors_writer_add_tensor(writer, "lattice.wave", BURL_DTYPE_F32, (size_t[]){2, 2}, 2,
                                     bad->wave);
  burl_safetensors_writer_add_tensor(writer, "lattice.strength", BURL_DTYPE_F32, (size_t[]){1}, 1,
                                     &bad->strength);
  if (bad->side > 0)
    burl_safetensors_writer_add_tensor(writer, "lattice.pattern", BURL_DTYPE_F32,
                                       (size_t[]){bad->side, bad->side}, 2, pattern);
}

static void test_bad_files_are_refused(void **state) {
  (void)state;
  const size_t side = BURL_LATTICE_SIDE;
  const bad_file cases[] = {
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 0, BURL_OK},
      {"1", {0.0f, 0.01f, 0.0f, 0.0f}, 0.9f, side, 0, BURL_OK},
      {"3", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side - 1, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, 0, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 1, BURL_ERR_NUMERIC},
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 2, BURL_ERR_FORMAT},
      {"2", {0.0f, 0.01f, 0.0f, 0.02f}, 0.9f, side, 0, BURL_ERR_FORMAT}, /* singular */
      {"2", {0.0f, 0.5f, 0.5f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},   /* 2 pixels */
      {"2", {0.0f, 1e-5f, 0.01f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, 1e38f, 1e38f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, NAN, 0.01f, 0.0f}, 0.9f, side, 0, BURL_ERR_NUMERIC},
      {"1", {0.0f, 0.01f, 0.01f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"1", {0.0f, 0.0f, 0.0f, 0.0f}, 0.9f, side, 0, BURL_ERR_FORMAT},
      {"2", {0.0f, 0.01f, 0.01f, 0.0f}, 1.5f, side, 0, BURL_ERR_FORMAT},
  };
  burl_lattice *lattice = calloc(2, sizeof *lattice);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    burl_diag diag = {0};
    lattice[0] = lattice[1];
    assert_int_equal(through_file(lattice, &diag, fill_with_bad, &cases[i]), cases[i].status);
    if (cases[i].status == BURL_OK) continue;
    assert_memory_equal(&lattice[0], &lattice[1], sizeof *lattice);
    assert_true(diag.status == cases[i].status && diag.reason[0] != 0);
  }
  free(lattice);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_saved_and_loaded),
      cmocka_unit_test(test_bad_files_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
