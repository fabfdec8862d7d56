/* Matching heads in a fit: when it is done, that it helps on its own kind, that it is the same for
 * every number of threads, and what a model file keeps of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "model/heads_json.h"
#include <burl/model_heads.h>

#include <math.h>

static tree t;
static burl_model *one, *three; /* fitted with heads, by one thread and by three */

static burl_model *fit(const char *name, int heads, int threads) {
  burl_fit_options options = cloth_options(threads);
  options.heads = heads;
  return cloth_fit_by(&t, name, &options);
}

static int set_up(void **state) {
  (void)state;
  tree_make(&t);
  cloth_fill(&t, "enough/train/good", 16, 48, 56);
  cloth_fill(&t, "few/train/good", 15, 40, 40);
  one = fit("enough", 1, 1), three = fit("enough", 1, 3);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  burl_model_free(one);
  burl_model_free(three);
  tree_remove(&t);
  return 0;
}

static size_t count_heads(const burl_model *model) {
  burl_model_info info;
  burl_model_get_info(model, &info);
  return info.heads;
}

static void heads_need_images(void **state) {
  (void)state;
  burl_model *few = fit("few", 1, 2), *plain = fit("enough", 0, 2);
  assert_int_equal(count_heads(few), 0);
  assert_int_equal(count_heads(plain), 0);
  burl_model_free(few);
  burl_model_free(plain);
}

/* Heads see parts of images: no place on the whole one can be told of. */
static void heads_do_without_places(void **state) {
  (void)state;
  burl_fit_options options = cloth_options(2);
  options.bank.spatial = BURL_SPATIAL_GRID;
  burl_model *model = cloth_fit_by(&t, "enough", &options);
  assert_int_equal(count_heads(model), 0);
  burl_model_free(model);
}

/* Eight times the same image: a bank that keeps every patch has nothing to learn a threshold from.
 * The whole has. */
static void a_half_that_teaches_nothing_gives_no_heads(void **state) {
  (void)state;
  burl_fit_options options = cloth_options(2);
  options.bank.method = BURL_METHOD_CORESET;
  options.bank.prototypes = 512;
  cloth_fill(&t, "halves/train/good", 8, 40, 40);
  for (size_t i = 0; i < 8; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/train/good/same%zu.png", "halves", i);
    cloth_put_good(&t, name, 40, 40, 99);
    snprintf(name, sizeof name, "%s/train/good/same%zu.png", "half", i);
    cloth_put_good(&t, name, 40, 40, 99);
  }
  burl_dataset *half = tree_load(&t, "half");
  burl_model *model = NULL;
  assert_int_equal(burl_model_fit(&model, NULL, half, &options, NULL, NULL), BURL_ERR_DATA);
  burl_dataset_free(half);
  model = cloth_fit_by(&t, "halves", &options);
  assert_int_equal(count_heads(model), 0);
  burl_model_free(model);
}

/* Named heads beat equal weights at their own kind, the last has no name; weights sum to 1. */
static void heads_are_matched(void **state) {
  (void)state;
  const burl_model *model = one;
  size_t n = count_heads(model);
  assert_in_range(n, 2, BURL_MOST_HEADS);
  for (size_t i = 0; i < n; i++) {
    burl_model_head head;
    double weights[BURL_MAX_GROUPS] = {0}, sum = 0.0;
    burl_model_get_head(model, i, &head, weights);
    for (size_t g = 0; g < BURL_MAX_GROUPS; g++) {
      assert_true(weights[g] >= 0.0);
      sum += weights[g];
    }
    assert_true(fabs(sum - 1.0) < 1e-6);
    assert_int_equal(head.kind == BURL_KIND_NONE, i + 1 == n);
    if (i + 1 < n) assert_true(head.ap >= head.equal_ap + 0.01);
  }
  burl_image image = cloth_draw(48, 56, BURL_DEFECT_HOLE, 3);
  burl_scorer *scorer;
  float heat[48 * 56];
  unsigned char kinds[48 * 56];
  double score;
  assert_int_equal(burl_scorer_new(&scorer, model, 1), BURL_OK);
  assert_int_equal(burl_scorer_score_kinds(scorer, heat, kinds, &score, &image, NULL), BURL_OK);
  for (size_t i = 0; i < 48 * 56; i++)
    assert_in_range(kinds[i], BURL_KIND_NONE + 1, BURL_KIND_COUNT - 1);
  burl_scorer_free(scorer);
  burl_image_free(&image);
}

static void threads_make_no_difference(void **state) {
  (void)state;
  assert_string_equal(burl_model_get_json(one), burl_model_get_json(three));
}

static void files_keep_heads(void **state) {
  (void)state;
  burl_model *model = three, *again = NULL;
  const char *path = tree_path(&t, "kept.burl");
  assert_int_equal(burl_model_save(model, path, NULL), BURL_OK);
  assert_int_equal(burl_model_load(&again, tree_path(&t, "kept.burl"), NULL), BURL_OK);
  assert_int_equal(model->heads.count, again->heads.count);
  for (size_t h = 0; h < model->heads.count; h++) {
    const burl_head *a = &model->heads.head[h], *b = &again->heads.head[h];
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(a->weight, b->weight, sizeof a->weight);
    assert_true(a->sigma == b->sigma && a->typical == b->typical && a->deviation == b->deviation);
    assert_true(a->ap == b->ap && a->equal_ap == b->equal_ap);
  }
  burl_model_free(again);
}

static burl_status take(burl_model *model, const char *text) {
  json_t *heads = json_loads(text, 0, NULL);
  assert_non_null(heads);
  model->heads = (burl_heads){0};
  burl_status status = burl_heads_take(model, heads, NULL);
  json_decref(heads);
  return status;
}

#define REST "\"ap\":0.5,\"equal_ap\":0.25}"
#define WEIGHTS "\"weights\":[1,0,0.5,0,0,2],"
#define GOOD "{\"kind\":\"speck\"," WEIGHTS "\"sigma\":2.0,\"typical\":0.1,\"deviation\":1.5," REST
#define LAST "{\"kind\":\"\"," WEIGHTS "\"sigma\":4.0,\"typical\":0.1,\"deviation\":1.5," REST

static void malformed_heads_are_refused(void **state) {
  (void)state;
  burl_model *model = fit("few", 0, 1);
  assert_int_equal(take(model, "[" GOOD "," LAST "]"), BURL_OK);
  assert_int_equal(model->heads.count, 2);
  assert_true(model->heads.head[0].weight[5] == 2.0f);
  assert_int_equal(take(model, "[]"), BURL_OK);
  assert_int_equal(model->heads.count, 0);
  const char *bad[] = {
      "{}",
      "[" LAST "]",
      "[" LAST "," GOOD "]",
      "[" GOOD "," GOOD "]",
      "[" GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," LAST "]",
      "[{\"kind\":\"knot\"," WEIGHTS "\"sigma\":2.0,\"typical\":0.1,\"deviation\":1.5," REST
      "," LAST "]",
      "[{\"kind\":\"speck\",\"weights\":[1,0],\"sigma\":2.0,\"typical\":0.1,\"deviation\":1.5," REST
      "," LAST "]",
      "[{\"kind\":\"speck\",\"weights\":[1,0,-1,0,0,0],\"sigma\":2.0,\"typical\":0.1,"
      "\"deviation\":1.5," REST "," LAST "]",
      "[{\"kind\":\"speck\"," WEIGHTS "\"sigma\":9.0,\"typical\":0.1,\"deviation\":1.5," REST
      "," LAST "]",
      "[{\"kind\":\"speck\"," WEIGHTS "\"sigma\":2.0,\"typical\":0.1,\"deviation\":0.0," REST
      "," LAST "]",
      "[{\"kind\":\"speck\"," WEIGHTS "\"sigma\":2.0,\"deviation\":1.5," REST "," LAST "]",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(take(model, bad[i]), BURL_ERR_FORMAT);
    assert_int_equal(model->heads.count, 0);
  }
  burl_model_free(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(heads_do_without_places),
      cmocka_unit_test(a_half_that_teaches_nothing_gives_no_heads),
      cmocka_unit_test(heads_need_images),
      cmocka_unit_test(heads_are_matched),
      cmocka_unit_test(threads_make_no_difference),
      cmocka_unit_test(files_keep_heads),
      cmocka_unit_test(malformed_heads_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
