/* Scoring a data set: order, splits, images and sinks that fail, large images among small ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "failing.h"
#include <math.h>
#include <pthread.h>

enum { TEST_IMAGES = 20, BIG = 1460 };

typedef struct shop {
  tree tree;
  burl_model *model;
  burl_dataset *dataset;
} shop;

/* A large image of small drawings: more than is scored along with others. */
static void put_big(const tree *t, const char *name) {
  burl_image big, piece = cloth_draw(146, 146, BURL_DEFECT_NONE, 77);
  assert_int_equal(burl_image_new(&big, BIG, BIG, 1, BURL_U8), BURL_OK);
  for (size_t y = 0; y < BIG; y++)
    for (size_t x = 0; x < BIG; x++)
      ((unsigned char *)big.data)[y * BIG + x] =
          ((const unsigned char *)piece.data)[y % 146 * 146 + x % 146];
  cloth_put(t, name, &big);
  burl_image_free(&big);
  burl_image_free(&piece);
}

/* 0..19 with a broken file, a small one, and a big one between them. */
static int set_up(void **state) {
  static shop s;
  burl_blas_set_threads(1);
  tree_make(&s.tree);
  cloth_fill(&s.tree, "set/train/good", 3, 64, 64);
  for (size_t i = 0; i < TEST_IMAGES; i++) {
    char name[64];
    snprintf(name, sizeof name, "set/test/%s/%02zu.png", i % 3 ? "good" : "spot", i);
    if (i == 3)
      tree_put(&s.tree, name, "no image");
    else if (i == 8)
      put_big(&s.tree, name);
    else
      cloth_put_good(&s.tree, name, i == 4 ? 32 : 50 + i, 40 + i, i);
  }
  cloth_put_good(&s.tree, "set/test/good/99.png", 33, 33, 1);
  burl_image small = cloth_draw(33, 33, BURL_DEFECT_NONE, 1);
  small.height = 30;
  cloth_put(&s.tree, "set/test/good/99.png", &small);
  burl_image_free(&small);
  s.model = cloth_fit(&s.tree, "set", 1);
  s.dataset = tree_load(&s.tree, "set");
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  burl_model_free(s->model);
  burl_dataset_free(s->dataset);
  tree_remove(&s->tree);
  return 0;
}

/* What sink and observer saw. */
typedef struct ledger {
  pthread_mutex_t lock;
  size_t written, collected, problems, steps;
  size_t index[64];
  double score[64];
  uint64_t sum[64]; /* of the maps' bytes */
  char told[64][512];
  long fail_write, fail_collect; /* this item; -1: none */
} ledger;

static uint64_t sum_of(const burl_scored *scored) {
  const unsigned char *bytes = (const unsigned char *)scored->heat;
  uint64_t sum = 14695981039346656037u;
  for (size_t i = 0; i < scored->image->height * scored->image->width * sizeof(float); i++)
    sum = (sum ^ bytes[i]) * 1099511628211u;
  return sum;
}

static burl_status write_one(void *context, const burl_scored *scored, burl_diag *diag) {
  ledger *l = context;
  pthread_mutex_lock(&l->lock);
  l->written++;
  pthread_mutex_unlock(&l->lock);
  if ((long)scored->index != l->fail_write) return BURL_OK;
  *diag = (burl_diag){.status = BURL_ERR_IO, .offset = -1};
  snprintf(diag->path, sizeof diag->path, "disk/%zu", scored->index);
  snprintf(diag->reason, sizeof diag->reason, "the disk is full");
  return BURL_ERR_IO;
}

static burl_status collect_one(void *context, const burl_scored *scored, burl_diag *diag) {
  ledger *l = context;
  if ((long)scored->index == l->fail_collect) {
    *diag = (burl_diag){.status = BURL_ERR_DATA, .offset = -1};
    snprintf(diag->reason, sizeof diag->reason, "enough");
    return BURL_ERR_DATA;
  }
  assert_non_null(scored->item);
  assert_true(l->collected < 64);
  l->index[l->collected] = scored->index;
  l->score[l->collected] = scored->score;
  l->sum[l->collected++] = sum_of(scored);
  return BURL_OK;
}

static void note_problem(void *context, const burl_diag *diag) {
  ledger *l = context;
  assert_true(diag->status != BURL_OK && l->problems < 64);
  snprintf(l->told[l->problems++], sizeof l->told[0], "%.250s: %.250s", diag->path, diag->reason);
}

static void note_step(void *context, const char *stage, size_t done, size_t total) {
  ledger *l = context;
  assert_true(stage && done <= total && total >= 1);
  l->steps++;
}

static burl_status run(const shop *s, ledger *l, burl_split split, int threads,
                       burl_score_stats *stats) {
  burl_diag diag = {0};
  burl_score_sink sink = {.context = l, .write = write_one, .collect = collect_one};
  burl_observer observer = {l, note_step, note_problem};
  pthread_mutex_init(&l->lock, NULL);
  burl_status status = burl_model_score_dataset(s->model, s->dataset, split, &sink, threads,
                                                &observer, stats, &diag);
  pthread_mutex_destroy(&l->lock);
  assert_int_equal(diag.status, status);
  return status;
}

static ledger new_ledger(void) {
  return (ledger){.fail_write = -1, .fail_collect = -1};
}

static void assert_in_order(const ledger *l) {
  for (size_t i = 1; i < l->collected; i++)
    assert_true(l->index[i] > l->index[i - 1]);
}

/* The same, in the order of the items, for any number of threads; and as one image alone would. */
static void test_order_and_threads(void **state) {
  const shop *s = *state;
  ledger first = new_ledger();
  burl_score_stats stats;
  assert_int_equal(run(s, &first, BURL_SPLIT_TEST, 1, &stats), BURL_OK);
  assert_int_equal(first.collected, TEST_IMAGES - 1);
  assert_int_equal(first.written, TEST_IMAGES - 1);
  assert_int_equal(stats.scored, TEST_IMAGES - 1);
  assert_int_equal(stats.failed, 2);
  assert_int_equal(first.problems, 2);
  assert_true(first.steps > 0 && stats.pixels > (uint64_t)BIG * BIG);
  assert_true(stats.read_seconds >= 0.0 && stats.score_seconds > 0.0);
  assert_in_order(&first);
  assert_non_null(strstr(first.told[0], "99.png"));
  assert_non_null(strstr(first.told[1], "03.png"));
  for (int threads = 2; threads <= 4; threads++) {
    ledger again = new_ledger();
    assert_int_equal(run(s, &again, BURL_SPLIT_TEST, threads, &stats), BURL_OK);
    assert_int_equal(again.collected, first.collected);
    assert_memory_equal(again.index, first.index, sizeof first.index);
    assert_memory_equal(again.score, first.score, sizeof first.score);
    assert_memory_equal(again.sum, first.sum, sizeof first.sum);
    assert_memory_equal(again.told, first.told, sizeof first.told);
  }
  for (size_t i = 0; i < first.collected; i += 4) {
    const burl_item *item = burl_dataset_get_item(s->dataset, first.index[i]);
    burl_image image;
    double score;
    assert_int_equal(burl_image_load(&image, item->path, NULL), BURL_OK);
    float *heat = cloth_score(s->model, &image, 1, &score);
    burl_scored alone = {.image = &image, .heat = heat};
    assert_true(score == first.score[i] && sum_of(&alone) == first.sum[i]);
    free(heat);
    burl_image_free(&image);
  }
}

static void test_splits(void **state) {
  const shop *s = *state;
  ledger train = new_ledger(), all = new_ledger();
  burl_score_stats stats;
  assert_int_equal(run(s, &train, BURL_SPLIT_TRAIN, 2, &stats), BURL_OK);
  assert_int_equal(train.collected, 3);
  assert_int_equal(train.problems, 0);
  assert_int_equal(run(s, &all, (burl_split)0, 2, &stats), BURL_OK);
  assert_int_equal(all.collected, 3 + TEST_IMAGES - 1);
  assert_in_order(&all);
}

/* One image that cannot be written is told and left out; the others are not. */
static void test_failing_write(void **state) {
  const shop *s = *state;
  for (int threads = 1; threads <= 3; threads += 2) {
    ledger l = new_ledger();
    burl_score_stats stats;
    l.fail_write = (long)burl_dataset_get_count(s->dataset) - 2;
    assert_int_equal(run(s, &l, BURL_SPLIT_TEST, threads, &stats), BURL_OK);
    assert_int_equal(stats.scored, TEST_IMAGES - 2);
    assert_int_equal(stats.failed, 3);
    assert_int_equal(l.written, TEST_IMAGES - 1);
    assert_int_equal(l.collected, TEST_IMAGES - 2);
    assert_in_order(&l);
    for (size_t i = 0; i < l.collected; i++)
      assert_true((long)l.index[i] != l.fail_write);
    assert_int_equal(l.problems, 3);
    assert_non_null(strstr(l.told[2], "the disk is full"));
    assert_non_null(strstr(l.told[2], "disk/"));
  }
}

/* A failing collect ends the run: nothing is collected after it. */
static void test_failing_collect(void **state) {
  const shop *s = *state;
  for (int threads = 1; threads <= 3; threads += 2) {
    ledger l = new_ledger();
    burl_score_stats stats;
    l.fail_collect = 7;
    assert_int_equal(run(s, &l, BURL_SPLIT_TEST, threads, &stats), BURL_ERR_DATA);
    assert_true(l.collected >= 1);
    assert_true(l.index[l.collected - 1] < 7);
  }
}

static void test_without_sink_and_observer(void **state) {
  const shop *s = *state;
  burl_score_sink sink = {0};
  burl_score_stats stats;
  assert_int_equal(burl_model_score_dataset(s->model, s->dataset, BURL_SPLIT_TRAIN, &sink, 1, NULL,
                                            &stats, NULL),
                   BURL_OK);
  assert_int_equal(stats.scored, 3);
  burl_diag diag = {0};
  assert_int_equal(burl_model_score_dataset(s->model, s->dataset, BURL_SPLIT_TRAIN, &sink, 0, NULL,
                                            &stats, &diag),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(diag.status, BURL_ERR_ARGUMENT);
}

/* Without memory for the scorers there is no run; later on an image may fall out, no more. */
static void test_without_memory(void **state) {
  const shop *s = *state;
  size_t refused = 0, left_out = 0;
  for (long i = 0;; i++) {
    burl_score_sink sink = {0};
    burl_score_stats stats = {0};
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_model_score_dataset(s->model, s->dataset, BURL_SPLIT_TRAIN, &sink, 1,
                                                  NULL, &stats, &diag);
    long made = stop_failing();
    if (status == BURL_OK && made <= i) break;
    if (status == BURL_OK) {
      assert_true(stats.scored + stats.failed == 3 && stats.failed <= 1);
      left_out += stats.failed;
      continue;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    refused++;
  }
  assert_true(refused >= 5 && left_out >= 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_and_threads),
      cmocka_unit_test(test_splits),
      cmocka_unit_test(test_failing_write),
      cmocka_unit_test(test_failing_collect),
      cmocka_unit_test(test_without_sink_and_observer),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
