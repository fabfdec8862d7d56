/* Heads: the fused map against its formula, kinds at pixels, a search whose answer is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "heat/head_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 9, COLS = 12, CELLS = ROWS * COLS, GROUPS = 3 };

static float normal_at(uint64_t stream, uint64_t index) {
  burl_random random = burl_random_start(stream, index);
  return (float)burl_random_normal(&random);
}

static void fill(float *groups) {
  for (size_t i = 0; i < GROUPS * CELLS; i++)
    groups[i] = normal_at(5, i);
}

static const burl_heads three = {.count = 3,
                                 .head = {{.kind = BURL_KIND_SPECK,
                                           .weight = {1.0f, 0.0f, 0.5f},
                                           .sigma = 2.0,
                                           .typical = 0.5,
                                           .deviation = 2.0},
                                          {.kind = BURL_KIND_STAIN,
                                           .weight = {0.0f, 1.0f, 0.0f},
                                           .sigma = 8.0,
                                           .typical = 0.4,
                                           .deviation = 1.0},
                                          {.kind = BURL_KIND_NONE,
                                           .weight = {1.0f, 1.0f, 1.0f},
                                           .sigma = 4.0,
                                           .typical = 1.0,
                                           .deviation = 3.0}}};

/* u of one head, by the formula. */
static void head_alone(float *u, const burl_head *head, const float *groups) {
  float scratch[CELLS];
  burl_heat_grid grid = {.rows = ROWS, .cols = COLS, .data = u};
  for (size_t i = 0; i < CELLS; i++) {
    double sum = 0.0;
    for (size_t g = 0; g < GROUPS; g++)
      sum += (double)head->weight[g] * (double)groups[g * CELLS + i];
    u[i] = (float)sum;
  }
  burl_heat_smooth(&grid, scratch, head->sigma);
  for (size_t i = 0; i < CELLS; i++)
    u[i] = (float)(((double)u[i] - head->typical) / head->deviation);
}

static void fusion_follows_its_formula(void **state) {
  (void)state;
  float groups[GROUPS * CELLS], fused[CELLS], spare[3 * CELLS], u[3][CELLS];
  unsigned char kinds[CELLS];
  burl_heat_grid grid = {.rows = ROWS, .cols = COLS, .data = fused};
  fill(groups);
  burl_heads_fuse(&grid, kinds, spare, &three, groups, GROUPS);
  for (size_t h = 0; h < 3; h++)
    head_alone(u[h], &three.head[h], groups);
  size_t specks = 0;
  for (size_t i = 0; i < CELLS; i++) {
    int speck = u[0][i] >= u[1][i];
    double most = (double)(speck ? u[0][i] : u[1][i]);
    double share = BURL_HEADS_EQUAL_SHARE;
    double expected = (1.0 - share) * most + share * (double)u[2][i];
    assert_true(fabs((double)fused[i] - expected) < 1e-5);
    assert_int_equal(kinds[i], speck ? BURL_KIND_SPECK : BURL_KIND_STAIN);
    specks += (size_t)speck;
  }
  assert_in_range(specks, 1, CELLS - 1);
}

static void kinds_are_those_of_the_nearest_cell(void **state) {
  (void)state;
  enum { H = 4 * 5, W = 4 * 6 };
  unsigned char cells[5 * 6], kinds[H * W];
  burl_heat_grid grid = {.rows = 5, .cols = 6, .row = 2, .col = 1};
  for (size_t i = 0; i < 30; i++)
    cells[i] = (unsigned char)i;
  burl_rect core = {8, 4, H, W}; /* y, x, height, width */
  burl_kinds_expand(kinds, W, cells, &grid, core);
  for (size_t y = 0; y < H; y++)
    for (size_t x = 0; x < W; x++) {
      size_t i = (y + 2) / 4 < 5 ? (y + 2) / 4 : 4, j = (x + 2) / 4 < 6 ? (x + 2) / 4 : 5;
      assert_int_equal(kinds[y * W + x], cells[i * 6 + j]);
    }
}

/* Cells of which group 1 alone tells the defective ones, at the second smoothing alone. */
typedef struct made {
  burl_head_cells good, set;
} made;

static void make_cells(burl_head_cells *cells, size_t count, uint64_t stream, size_t defective) {
  cells->count = count;
  cells->weight = malloc(count * sizeof *cells->weight);
  cells->defective = malloc(count);
  assert_non_null(cells->weight);
  assert_non_null(cells->defective);
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++) {
    cells->value[s] = malloc(count * GROUPS * sizeof(float));
    assert_non_null(cells->value[s]);
    for (size_t i = 0; i < count; i++)
      for (size_t g = 0; g < GROUPS; g++) {
        float signal = i < defective && g == 1 && s == 1 ? 5.0f : 0.0f;
        cells->value[s][i * GROUPS + g] = signal + normal_at(stream + s, i * GROUPS + g);
      }
  }
  for (size_t i = 0; i < count; i++)
    cells->weight[i] = 1.0f, cells->defective[i] = i < defective;
}

static void drop_cells(burl_head_cells *cells) {
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++)
    free(cells->value[s]);
  free(cells->weight);
  free(cells->defective);
}

static const unsigned char all[GROUPS] = {1, 1, 1};

static void search_finds_what_tells(void **state) {
  (void)state;
  made m;
  make_cells(&m.good, 4000, 10, 0);
  make_cells(&m.set, 300, 20, 100);
  const burl_head_cells *sets[] = {&m.set};
  burl_head_task task = {.groups = GROUPS, .present = all, .good = &m.good, .set = sets, .sets = 1};
  burl_head head = {0};
  assert_int_equal(burl_head_search(&head, &task), BURL_OK);
  assert_true(head.sigma == burl_head_sigma(1));
  assert_true(head.weight[1] > 0.8f);
  assert_true(head.ap > 0.9 && head.ap > head.equal_ap + 0.5);
  float sum = head.weight[0] + head.weight[1] + head.weight[2];
  assert_true(fabsf(sum - 1.0f) < 1e-5f);
  task.lambda = 10.0; /* so dear that nothing but equal weights is left */
  assert_int_equal(burl_head_search(&head, &task), BURL_OK);
  for (size_t g = 0; g < GROUPS; g++)
    assert_true(fabsf(head.weight[g] - 1.0f / GROUPS) < 1e-6f);
  const unsigned char some[GROUPS] = {1, 0, 1};
  task.present = some, task.lambda = 0.0;
  assert_int_equal(burl_head_search(&head, &task), BURL_OK);
  assert_true(head.weight[1] == 0.0f);
  drop_cells(&m.good);
  drop_cells(&m.set);
}

/* AP of the cells themselves, sorted: weights count as so many cells. */
static void precision_counts_weights(void **state) {
  (void)state;
  float values[BURL_HEAD_SIGMAS][4] = {{4, 3, 2, 1}, {4, 3, 2, 1}, {4, 3, 2, 1}};
  float weight[4] = {2, 1, 3, 4}, good_value[1] = {0}, good_weight[1] = {1};
  unsigned char defective[4] = {1, 0, 1, 0};
  burl_head_cells set = {.count = 4, .weight = weight, .defective = defective};
  burl_head_cells good = {.count = 1, .weight = good_weight};
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++)
    set.value[s] = values[s], good.value[s] = good_value;
  const burl_head_cells *sets[] = {&set};
  burl_head_task task = {
      .groups = 1, .present = all, .good = &good, .set = sets, .sets = 1};
  burl_head head = {.weight = {1.0f}, .sigma = 2.0};
  double ap = 0.0;
  assert_int_equal(burl_head_ap(&ap, &task, &head), BURL_OK);
  assert_true(fabs(ap - (2.0 * 1.0 + 3.0 * 5.0 / 6.0) / 5.0) < 1e-12);
  memset(defective, 0, sizeof defective);
  assert_int_equal(burl_head_ap(&ap, &task, &head), BURL_OK);
  assert_true(isnan(ap));
  assert_int_equal(burl_head_search(&head, &task), BURL_ERR_DATA);
}

static void constant_cells_change_nothing(void **state) {
  (void)state;
  made m;
  make_cells(&m.good, 50, 1, 0);
  make_cells(&m.set, 50, 1, 10);
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++)
    for (size_t i = 0; i < 50 * GROUPS; i++)
      m.good.value[s][i] = m.set.value[s][i] = 1.0f;
  const burl_head_cells *sets[] = {&m.set};
  burl_head_task task = {
      .groups = GROUPS, .present = all, .good = &m.good, .set = sets, .sets = 1, .lambda = 0.02};
  burl_head head = {0};
  assert_int_equal(burl_head_search(&head, &task), BURL_OK);
  assert_true(fabs(head.ap - 0.1) < 1e-12);
  for (size_t g = 0; g < GROUPS; g++)
    assert_true(fabsf(head.weight[g] - 1.0f / GROUPS) < 1e-6f);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_head_search(&head, &task);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  drop_cells(&m.good);
  drop_cells(&m.set);
}

static void kinds_have_names(void **state) {
  (void)state;
  assert_string_equal(burl_kind_get_name(BURL_KIND_NONE), "");
  assert_string_equal(burl_kind_get_name(BURL_KIND_WEAVE), "weave fault");
  assert_null(burl_kind_get_name(BURL_KIND_COUNT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fusion_follows_its_formula),
      cmocka_unit_test(kinds_are_those_of_the_nearest_cell),
      cmocka_unit_test(search_finds_what_tells),
      cmocka_unit_test(precision_counts_weights),
      cmocka_unit_test(constant_cells_change_nothing),
      cmocka_unit_test(kinds_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
