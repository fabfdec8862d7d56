/* detect/max_tree.h: the component tree of a heat map.
 *
 * The tree holds the pixels at or above a floor, numbered in scan order ("members"). Heat is told
 * apart by the upper 16 bits of its float: 128 levels in each doubling of the heat, whatever its
 * unit.
 */
#ifndef BURL_DETECT_MAX_TREE_H
#define BURL_DETECT_MAX_TREE_H

#include "base/memory.h"

#include <burl/base.h>

#define BURL_TREE_NONE UINT32_MAX
#define BURL_TREE_OCTAVE 128 /* levels in a doubling of the heat */
#define BURL_TREE_PIXELS ((size_t)1 << 23)

typedef struct burl_tree_node {
  uint32_t parent;         /* a node with a higher number; BURL_TREE_NONE for roots */
  uint32_t next;           /* the next child of the same parent, while the tree is built */
  uint32_t first, area;    /* its pixels: members first..first+area-1 of `members` */
  uint32_t x0, y0, x1, y1; /* x1 and y1 excluded */
  uint32_t level;
  float peak;
  double sum; /* of heat */
} burl_tree_node;

typedef struct burl_max_tree {
  size_t count, node_count; /* pixels, nodes */
  uint32_t *pixel;          /* (count) pixel numbers, rising */
  uint32_t *members;        /* (count) indices into `pixel`: those of each node stand together */
  burl_tree_node *nodes;    /* (node_count), children before parents */
  burl_arena arena;
} burl_max_tree;

/* The heat of a level: the least that belongs to it. */
float burl_tree_heat(uint32_t level);

/* The tree of the pixels of heat (height, width) at or above floor (> 0); what is not a number is
 * none of them. Above BURL_TREE_PIXELS pixels the floor is raised. Errors: BURL_ERR_MEMORY. */
burl_status burl_max_tree_open(burl_max_tree *tree, const float *heat, size_t height, size_t width,
                               float floor) BURL_MUST_CHECK;
void burl_max_tree_close(burl_max_tree *tree);

#endif
