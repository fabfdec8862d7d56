/* The component tree by union-find, hottest pixels first.
 *
 * Pixels are sorted by level (one counting sort) and added level by level. A set of the union-find
 * is a region of what has been added so far; it carries the list of the nodes that its parts were
 * before this level. Once a level's pixels are in, each set that grew becomes a node, the parent of
 * those on its list. Work and memory go with the pixels at or above the floor alone, of which most
 * maps have few. Neighbours are found in the list of pixels: each pixel knows the first one in the
 * rows above and below that could touch it.
 * Source: L. Najman and M. Couprie, Building the component tree in quasi-linear time, IEEE Trans.
 * Image Processing 15(11), 2006.
 */
#include "detect/max_tree.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS ((size_t)1 << 15) /* upper halves of positive floats */
#define CHUNK 32

/* All that is known of a pixel, in half a cache line: pixels are visited out of order. */
typedef struct cell {
  uint32_t pixel;        /* its number in the image */
  uint32_t above, below; /* the first pixel that could touch it in the next rows */
  uint32_t parent;       /* of the union-find; BURL_TREE_NONE: not added yet */
  uint32_t head, tail;   /* of the set's list of nodes, where it is a root */
  uint32_t home;         /* the node that it was added with */
  float heat;            /* finite */
} cell;

typedef struct builder {
  burl_max_tree *tree;
  const float *heat;
  size_t width;
  cell *cells;
  uint32_t *order; /* pixels, hottest level first */
  burl_arena arena;
} builder;

/* Infinity would spoil sums. */
static float finite(float heat) {
  return heat < FLT_MAX ? heat : FLT_MAX;
}

static uint32_t level_of(float heat) {
  uint32_t bits;
  float value = finite(heat);
  memcpy(&bits, &value, sizeof bits);
  return bits >> 16;
}

float burl_tree_heat(uint32_t level) {
  uint32_t bits = level << 16;
  float heat;
  memcpy(&heat, &bits, sizeof heat);
  return heat;
}

/* How many of the n values from `heat` on reach the floor. */
static size_t count_reaching(const float *heat, size_t n, float floor) {
  uint32_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += heat[i] >= floor;
  return count;
}

/* Counts the pixels of each level. Returns how many there are. */
static size_t count_levels(size_t *counts, const float *heat, size_t pixels, float floor) {
  size_t total = 0;
  for (size_t begin = 0; begin < pixels; begin += CHUNK) {
    size_t n = pixels - begin < CHUNK ? pixels - begin : CHUNK;
    size_t reaching = count_reaching(heat + begin, n, floor);
    if (reaching == 0) continue;
    total += reaching;
    for (size_t i = begin; i < begin + n; i++)
      if (heat[i] >= floor) counts[level_of(heat[i])]++;
  }
  return total;
}

/* Leaves out the coolest levels until the others have BURL_TREE_PIXELS pixels at most. The hottest
 * level stays in any case: a map of one value is a region. Returns the new floor. */
static float raise_floor(size_t *counts, size_t *total, float floor) {
  for (size_t level = 0; level<LEVELS && * total> BURL_TREE_PIXELS; level++) {
    if (counts[level] == 0) continue;
    if (counts[level] == *total) break;
    *total -= counts[level];
    counts[level] = 0;
    floor = burl_tree_heat((uint32_t)level + 1);
  }
  return floor;
}

static int reserve(builder *b, size_t n) {
  burl_arena *kept = &b->tree->arena, *own = &b->arena;
  burl_arena_reserve(kept, n, sizeof *b->tree->pixel);
  burl_arena_reserve(kept, n, sizeof *b->tree->members);
  burl_arena_reserve(kept, n, sizeof *b->tree->nodes);
  burl_arena_reserve(own, n, sizeof *b->cells);
  burl_arena_reserve(own, n, sizeof *b->order);
  if (!burl_arena_open(kept)) return 0;
  if (!burl_arena_open(own)) {
    burl_arena_close(kept);
    return 0;
  }
  b->tree->pixel = burl_arena_take(kept, n, sizeof *b->tree->pixel);
  b->tree->members = burl_arena_take(kept, n, sizeof *b->tree->members);
  b->tree->nodes = burl_arena_take(kept, n, sizeof *b->tree->nodes);
  b->cells = burl_arena_take(own, n, sizeof *b->cells);
  b->order = burl_arena_take(own, n, sizeof *b->order);
  return 1;
}

static void list_pixels(builder *b, size_t pixels, float floor) {
  size_t k = 0;
  for (size_t begin = 0; begin < pixels; begin += CHUNK) {
    size_t n = pixels - begin < CHUNK ? pixels - begin : CHUNK;
    if (count_reaching(b->heat + begin, n, floor) == 0) continue;
    for (size_t i = begin; i < begin + n; i++) {
      if (!(b->heat[i] >= floor)) continue;
      b->tree->pixel[k] = (uint32_t)i;
      b->cells[k++] =
          (cell){.pixel = (uint32_t)i, .heat = finite(b->heat[i]), .parent = BURL_TREE_NONE};
    }
  }
}

/* The lowest pixel number that could touch pixel p in the row above, and in the row below, rise
 * with p, so one walk over the list finds them all. */
static void link_rows(builder *b) {
  const uint32_t *pixel = b->tree->pixel;
  cell *cells = b->cells;
  size_t n = b->tree->count, above = 0, below = 0;
  for (size_t k = 0; k < n; k++) {
    uint64_t at = pixel[k], left = pixel[k] % (uint32_t)b->width > 0;
    while (above < k && pixel[above] + b->width + left < at)
      above++;
    while (below < n && pixel[below] + left < at + b->width)
      below++;
    cells[k].above = (uint32_t)above;
    cells[k].below = (uint32_t)below;
  }
}

static void sort_by_level(builder *b, size_t *counts) {
  size_t start = 0;
  for (size_t level = LEVELS; level-- > 0;) {
    size_t count = counts[level];
    counts[level] = start;
    start += count;
  }
  for (size_t k = 0; k < b->tree->count; k++)
    b->order[counts[level_of(b->cells[k].heat)]++] = (uint32_t)k;
}

static uint32_t find_root(cell *cells, uint32_t i) {
  while (cells[i].parent != i) {
    cells[i].parent = cells[cells[i].parent].parent;
    i = cells[i].parent;
  }
  return i;
}

/* Joins the set of `root` and, if k has been added, that of k; their lists of nodes become one.
 * Returns the root: the one of the two that comes first in scan order, whatever the order of
 * unions. */
static uint32_t join(builder *b, uint32_t root, uint32_t k) {
  cell *cells = b->cells;
  if (cells[k].parent == BURL_TREE_NONE) return root;
  uint32_t into = root, from = find_root(cells, k);
  if (into == from) return root;
  if (from < into) {
    into = from;
    from = root;
  }
  cells[from].parent = into;
  if (cells[from].head == BURL_TREE_NONE) return into;
  if (cells[into].head == BURL_TREE_NONE)
    cells[into].head = cells[from].head;
  else
    b->tree->nodes[cells[into].tail].next = cells[from].head;
  cells[into].tail = cells[from].tail;
  return into;
}

static void join_neighbours(builder *b, uint32_t k) {
  const cell *cells = b->cells;
  uint32_t root = k;
  uint32_t x = cells[k].pixel % (uint32_t)b->width;
  size_t n = b->tree->count, at = cells[k].pixel, right = x + 1 < b->width;
  if (x > 0 && k > 0 && cells[k - 1].pixel + 1 == at) root = join(b, root, k - 1);
  if (right && k + 1 < n && cells[k + 1].pixel == at + 1) root = join(b, root, k + 1);
  for (uint32_t i = cells[k].above; i < k && cells[i].pixel + b->width <= at + right; i++)
    root = join(b, root, i);
  for (uint32_t i = cells[k].below; i < n && cells[i].pixel <= at + b->width + right; i++)
    root = join(b, root, i);
}

static void add_child(burl_tree_node *node, const burl_tree_node *child) {
  node->area += child->area;
  node->sum += child->sum;
  if (child->peak > node->peak) node->peak = child->peak;
  if (child->x0 < node->x0) node->x0 = child->x0;
  if (child->y0 < node->y0) node->y0 = child->y0;
  if (child->x1 > node->x1) node->x1 = child->x1;
  if (child->y1 > node->y1) node->y1 = child->y1;
}

/* A new node on the set of `root`, with the nodes of its list as children. */
static uint32_t make_node(builder *b, uint32_t root, uint32_t level) {
  burl_max_tree *tree = b->tree;
  uint32_t number = (uint32_t)tree->node_count++;
  burl_tree_node *node = &tree->nodes[number];
  *node = (burl_tree_node){.parent = BURL_TREE_NONE,
                           .next = BURL_TREE_NONE,
                           .x0 = UINT32_MAX,
                           .y0 = UINT32_MAX,
                           .level = level};
  for (uint32_t i = b->cells[root].head; i != BURL_TREE_NONE; i = tree->nodes[i].next) {
    tree->nodes[i].parent = number;
    add_child(node, &tree->nodes[i]);
  }
  b->cells[root].head = b->cells[root].tail = number;
  return number;
}

/* Pixels are met in no order that the processor could foresee: those soon to come are fetched, and
 * then the rows beside them. */
static void fetch_ahead(const builder *b, size_t i) {
  const cell *cells = b->cells;
  size_t n = b->tree->count;
  if (i + 16 < n) __builtin_prefetch(&cells[b->order[i + 16]]);
  if (i + 8 >= n) return;
  const cell *soon = &cells[b->order[i + 8]];
  __builtin_prefetch(&cells[soon->above]);
  __builtin_prefetch(&cells[soon->below]);
}

/* Adds the pixels begin..end-1 of the order, all of one level. A set's list ends in a node of this
 * level exactly when the node was made here: nodes of this level have a number from `first` on. */
static void add_level(builder *b, size_t begin, size_t end) {
  burl_max_tree *tree = b->tree;
  size_t first = tree->node_count;
  for (size_t i = begin; i < end; i++) {
    uint32_t k = b->order[i];
    fetch_ahead(b, i);
    b->cells[k].parent = k;
    b->cells[k].head = b->cells[k].tail = BURL_TREE_NONE;
    join_neighbours(b, k);
  }
  for (size_t i = begin; i < end; i++) {
    cell *at = &b->cells[b->order[i]];
    uint32_t root = find_root(b->cells, b->order[i]), number = b->cells[root].head;
    if (number == BURL_TREE_NONE || number < first) number = make_node(b, root, level_of(at->heat));
    uint32_t x = at->pixel % (uint32_t)b->width, y = at->pixel / (uint32_t)b->width;
    burl_tree_node one = {.area = 1,
                          .sum = (double)at->heat,
                          .peak = at->heat,
                          .x0 = x,
                          .y0 = y,
                          .x1 = x + 1,
                          .y1 = y + 1};
    add_child(&tree->nodes[number], &one);
    at->home = number;
  }
}

/* Gives every node its stretch of `members`: its own pixels and the stretches of its children.
 * Going from the last node to the first meets parents before children; `next` is free by now and
 * keeps where the next stretch within a node begins. */
static void lay_members(builder *b) {
  burl_tree_node *nodes = b->tree->nodes;
  uint32_t start = 0;
  for (size_t i = b->tree->node_count; i-- > 0;) {
    uint32_t *at = nodes[i].parent == BURL_TREE_NONE ? &start : &nodes[nodes[i].parent].next;
    nodes[i].first = nodes[i].next = *at;
    *at += nodes[i].area;
  }
  for (size_t k = 0; k < b->tree->count; k++)
    b->tree->members[nodes[b->cells[k].home].next++] = (uint32_t)k;
}

static void build(builder *b, size_t *counts) {
  size_t n = b->tree->count;
  link_rows(b);
  sort_by_level(b, counts);
  for (size_t begin = 0, end; begin < n; begin = end) {
    uint32_t level = level_of(b->cells[b->order[begin]].heat);
    for (end = begin + 1; end < n && level_of(b->cells[b->order[end]].heat) == level;)
      end++;
    add_level(b, begin, end);
  }
  lay_members(b);
}

burl_status burl_max_tree_open(burl_max_tree *tree, const float *heat, size_t height, size_t width,
                               float floor) {
  builder b = {.tree = tree, .heat = heat, .width = width};
  size_t *counts = burl_alloc_zero(LEVELS, sizeof *counts);
  if (!counts) return BURL_ERR_MEMORY;
  size_t pixels = height * width, total = count_levels(counts, heat, pixels, floor);
  floor = raise_floor(counts, &total, floor);
  *tree = (burl_max_tree){.count = total};
  if (total > 0 && !reserve(&b, total)) {
    free(counts);
    return BURL_ERR_MEMORY;
  }
  if (total > 0) {
    list_pixels(&b, pixels, floor);
    build(&b, counts);
    burl_arena_close(&b.arena);
  }
  free(counts);
  return BURL_OK;
}

void burl_max_tree_close(burl_max_tree *tree) {
  burl_arena_close(&tree->arena);
}
