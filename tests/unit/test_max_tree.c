/* The component tree: against components of every cut, and maps that are hard on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "detect/max_tree.h"
#include "shape/components.h"
#include "unit/failing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1024

/* The pixels of a node are one component of the map cut at its level, whole. */
static void check_node(const burl_max_tree *tree, const burl_tree_node *node, const float *heat,
                       size_t height, size_t width, float floor) {
  uint8_t mask[MOST];
  uint32_t labels[MOST], count, seed = tree->pixel[tree->members[node->first]];
  float level = burl_tree_heat(node->level) > floor ? burl_tree_heat(node->level) : floor;
  for (size_t i = 0; i < height * width; i++)
    mask[i] = heat[i] >= level;
  assert_int_equal(burl_components(labels, &count, mask, height, width), BURL_OK);
  size_t area = 0;
  double sum = 0;
  float peak = 0;
  for (size_t i = 0; i < height * width; i++) {
    if (labels[i] != labels[seed]) continue;
    area++;
    sum += (double)heat[i];
    if (heat[i] > peak) peak = heat[i];
    assert_true(i % width >= node->x0 && i % width < node->x1);
    assert_true(i / width >= node->y0 && i / width < node->y1);
  }
  assert_int_equal(area, node->area);
  assert_true(fabs(sum - node->sum) <= 1e-9 * sum);
  assert_true(peak == node->peak);
  for (size_t i = 0; i < node->area; i++)
    assert_int_equal(labels[tree->pixel[tree->members[node->first + i]]], labels[seed]);
}

/* Cuts at all levels that a pixel has, hottest first: each component with a pixel of the level is a
 * node. */
static size_t count_nodes(const float *heat, size_t height, size_t width, float floor) {
  size_t nodes = 0;
  for (uint32_t level = 0; level < 0x8000; level++) {
    uint8_t mask[MOST], seen[MOST + 1] = {0};
    uint32_t labels[MOST], count;
    int any = 0;
    float from = burl_tree_heat(level) > floor ? burl_tree_heat(level) : floor;
    float to = burl_tree_heat(level + 1);
    if (to <= floor || burl_tree_heat(level) > 100) continue;
    for (size_t i = 0; i < height * width; i++) {
      mask[i] = heat[i] >= from;
      any |= heat[i] >= from && heat[i] < to;
    }
    if (!any) continue;
    assert_int_equal(burl_components(labels, &count, mask, height, width), BURL_OK);
    for (size_t i = 0; i < height * width; i++)
      if (heat[i] >= from && heat[i] < to && !seen[labels[i]]) {
        seen[labels[i]] = 1;
        nodes++;
      }
  }
  return nodes;
}

static void check_map(const float *heat, size_t height, size_t width, float floor) {
  burl_max_tree tree;
  assert_int_equal(burl_max_tree_open(&tree, heat, height, width, floor), BURL_OK);
  for (size_t i = 0; i < tree.node_count; i++) {
    check_node(&tree, &tree.nodes[i], heat, height, width, floor);
    uint32_t parent = tree.nodes[i].parent;
    if (parent == BURL_TREE_NONE) continue;
    assert_true(parent > i && parent < tree.node_count);
    const burl_tree_node *above = &tree.nodes[parent];
    assert_true(above->level < tree.nodes[i].level && above->area > tree.nodes[i].area);
    assert_true(tree.nodes[i].first >= above->first);
    assert_true(tree.nodes[i].first + tree.nodes[i].area <= above->first + above->area);
  }
  assert_int_equal(tree.node_count, count_nodes(heat, height, width, floor));
  burl_max_tree_close(&tree);
}

static void test_random_maps(void **state) {
  (void)state;
  static float heat[MOST];
  burl_random random = burl_random_start(7, 1);
  for (int round = 0; round < 60; round++) {
    size_t height = 1 + burl_random_below(&random, 16), width = 1 + burl_random_below(&random, 16);
    uint32_t values = round % 3 == 0 ? 3 : round % 3 == 1 ? 40 : 100000;
    for (size_t i = 0; i < height * width; i++)
      heat[i] = 3.0F * (float)burl_random_below(&random, values) / (float)values;
    check_map(heat, height, width, 0.5F);
    check_map(heat, height, width, 1e-3F);
  }
}

static void test_not_numbers(void **state) {
  (void)state;
  float heat[6] = {NAN, 2, NAN, NAN, INFINITY, -INFINITY};
  burl_max_tree tree;
  assert_int_equal(burl_max_tree_open(&tree, heat, 2, 3, 0.5F), BURL_OK);
  assert_int_equal(tree.count, 2);
  assert_int_equal(tree.node_count, 2);
  assert_true(isfinite(tree.nodes[0].sum) && isfinite(tree.nodes[0].peak));
  assert_int_equal(tree.nodes[1].area, 2);
  burl_max_tree_close(&tree);
}

static void test_nothing(void **state) {
  (void)state;
  float heat[4] = {0};
  burl_max_tree tree;
  assert_int_equal(burl_max_tree_open(&tree, heat, 2, 2, 0.5F), BURL_OK);
  assert_int_equal(tree.node_count, 0);
  burl_max_tree_close(&tree);
  assert_int_equal(burl_max_tree_open(&tree, heat, 0, 0, 0.5F), BURL_OK);
  assert_int_equal(tree.node_count, 0);
  burl_max_tree_close(&tree);
}

/* More pixels than the tree takes: the coolest are left out; of one value none is. */
static void test_raised_floor(void **state) {
  (void)state;
  size_t width = 4096, height = BURL_TREE_PIXELS / width + 1, n = width * height;
  float *heat = burl_alloc(n, sizeof *heat);
  assert_non_null(heat);
  for (size_t i = 0; i < n; i++)
    heat[i] = i < 1000 ? 3.0F : 1.0F;
  burl_max_tree tree;
  assert_int_equal(burl_max_tree_open(&tree, heat, height, width, 0.5F), BURL_OK);
  assert_int_equal(tree.count, 1000);
  assert_int_equal(tree.node_count, 1);
  burl_max_tree_close(&tree);
  free(heat);
}

static void test_failing_memory(void **state) {
  (void)state;
  static float heat[100];
  for (size_t i = 0; i < 100; i++)
    heat[i] = (float)(i % 7);
  for (long i = 0;; i++) {
    burl_max_tree tree;
    fail_allocation_after(i);
    burl_status status = burl_max_tree_open(&tree, heat, 10, 10, 0.5F);
    stop_failing();
    if (status == BURL_OK) {
      burl_max_tree_close(&tree);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_maps),    cmocka_unit_test(test_not_numbers),
      cmocka_unit_test(test_nothing),        cmocka_unit_test(test_raised_floor),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
