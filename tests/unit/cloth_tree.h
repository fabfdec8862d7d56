/* tests/unit/cloth_tree.h: data sets of small synthetic cloths, and models fitted on them quickly.
 */
#ifndef BURL_TESTS_CLOTH_TREE_H
#define BURL_TESTS_CLOTH_TREE_H

#include "data_tree.h"
#include <burl/model.h>
#include <burl/synth.h>

static inline burl_image cloth_draw(size_t height, size_t width, burl_defect defect,
                                    uint64_t index) {
  burl_image image, mask;
  burl_synth_options options = burl_synth_default_options();
  options.weave = BURL_WEAVE_TWILL;
  options.defect = defect;
  options.height = height;
  options.width = width;
  options.index = index;
  assert_int_equal(burl_synth_draw(&image, &mask, &options), BURL_OK);
  burl_image_free(&mask);
  return image;
}

static inline void cloth_put(const tree *t, const char *name, const burl_image *image) {
  tree_folders(t, name);
  assert_int_equal(burl_image_save_png(image, tree_path(t, name), NULL), BURL_OK);
}

/* Good cloth number `index` as NAME. */
static inline void cloth_put_good(const tree *t, const char *name, size_t height, size_t width,
                                  uint64_t index) {
  burl_image image = cloth_draw(height, width, BURL_DEFECT_NONE, index);
  cloth_put(t, name, &image);
  burl_image_free(&image);
}

/* `count` good cloths FOLDER/0.png... */
static inline void cloth_fill(const tree *t, const char *folder, size_t count, size_t height,
                              size_t width) {
  for (size_t i = 0; i < count; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/%zu.png", folder, i);
    cloth_put_good(t, name, height, width, i);
  }
}

/* Few prototypes, and no rounds against outliers: what most tests need. */
static inline burl_fit_options cloth_options(int threads) {
  burl_fit_options options = burl_fit_default_options();
  options.bank.prototypes = 16;
  options.bank.outliers = options.bank.clean = 0.0;
  options.threads = threads;
  return options;
}

/* Fits on the data set at `name` of the tree. */
static inline burl_model *cloth_fit_by(tree *t, const char *name, const burl_fit_options *options) {
  burl_dataset *dataset = tree_load(t, name);
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_fit(&model, NULL, dataset, options, NULL, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  burl_dataset_free(dataset);
  return model;
}

static inline burl_model *cloth_fit(tree *t, const char *name, int threads) {
  burl_fit_options options = cloth_options(threads);
  return cloth_fit_by(t, name, &options);
}

/* Scores one image; the map is to be freed. */
static inline float *cloth_score(const burl_model *model, const burl_image *image, int threads,
                                 double *score) {
  burl_scorer *scorer = NULL;
  burl_diag diag = {0};
  float *heat = malloc(image->height * image->width * sizeof *heat);
  assert_non_null(heat);
  assert_int_equal(burl_scorer_new(&scorer, model, threads), BURL_OK);
  burl_status status = burl_scorer_score(scorer, heat, score, image, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  burl_scorer_free(scorer);
  return heat;
}

/* The bytes of a file, to be freed. */
static inline unsigned char *file_bytes(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*size + 1);
  assert_non_null(bytes);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  fclose(file);
  return bytes;
}

/* Saves a model and gives its bytes. */
static inline unsigned char *model_bytes(const tree *t, const burl_model *model, size_t *size) {
  const char *path = tree_path(t, "saved.burl");
  assert_int_equal(burl_model_save(model, path, NULL), BURL_OK);
  return file_bytes(path, size);
}

#endif
