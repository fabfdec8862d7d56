/* The stable nodes of a component tree.
 *
 * Each leaf begins a branch; where regions join, the branch with the hotter peak goes on and the
 * others end. A branch whose peak is less than `contrast` times the level where it ends is a ripple
 * on a larger region and has no say. On a branch the area grows; it is cut into stretches over
 * which the area grows by `spacing` at most, and of each the node whose area changes least with the
 * level is kept. So the nodes kept on a branch number at most the logarithm of its area, and no
 * region is too small or too large.
 */
#include "detect/stable_nodes.h"

#include <math.h>
#include <stdlib.h>

/* Over a fall of the level by this factor stability is measured: a twelfth of an octave, 6 %. */
#define DELTA (BURL_TREE_OCTAVE / 12)

typedef struct stretch {
  uint32_t start_area; /* of its first node */
  uint32_t best;       /* node */
  float stability;     /* of the best */
} stretch;

typedef struct search {
  const burl_max_tree *tree;
  uint32_t *heir; /* (node_count) the child whose branch a node goes on with */
  uint32_t *leaf; /* (node_count) the leaf that began its branch */
  float *end;     /* (node_count), of leaves: heat of the level where the branch ended */
  stretch *open;  /* (node_count) the stretch that reaches a node */
  burl_stable_node *found;
  size_t count;
  burl_arena arena;
} search;

static int reserve(search *s) {
  size_t n = s->tree->node_count;
  burl_arena_reserve(&s->arena, n, sizeof *s->heir);
  burl_arena_reserve(&s->arena, n, sizeof *s->leaf);
  burl_arena_reserve(&s->arena, n, sizeof *s->end);
  burl_arena_reserve(&s->arena, n, sizeof *s->open);
  if (!burl_arena_open(&s->arena)) return 0;
  s->heir = burl_arena_take(&s->arena, n, sizeof *s->heir);
  s->leaf = burl_arena_take(&s->arena, n, sizeof *s->leaf);
  s->end = burl_arena_take(&s->arena, n, sizeof *s->end);
  s->open = burl_arena_take(&s->arena, n, sizeof *s->open);
  return 1;
}

/* Of children with one peak the one that comes first in the tree. */
static void find_heirs(search *s) {
  const burl_tree_node *nodes = s->tree->nodes;
  for (size_t i = 0; i < s->tree->node_count; i++)
    s->heir[i] = BURL_TREE_NONE;
  for (size_t i = 0; i < s->tree->node_count; i++) {
    uint32_t parent = nodes[i].parent;
    if (parent == BURL_TREE_NONE) continue;
    uint32_t *heir = &s->heir[parent];
    if (*heir == BURL_TREE_NONE || nodes[i].peak > nodes[*heir].peak) *heir = (uint32_t)i;
  }
}

/* Area now by area after the level has fallen by DELTA steps; at most DELTA ancestors are met. */
static float stability_of(const burl_max_tree *tree, uint32_t i) {
  const burl_tree_node *node = &tree->nodes[i];
  uint32_t at = i;
  while (tree->nodes[at].parent != BURL_TREE_NONE &&
         tree->nodes[tree->nodes[at].parent].level + DELTA >= node->level)
    at = tree->nodes[at].parent;
  return (float)node->area / (float)tree->nodes[at].area;
}

/* Half the height of its peak is where the outline of a blurred spot is; the further a level is
 * from there, up or down, the less is its region taken for an outline. */
static float quality_of(const burl_tree_node *node, float stability) {
  double octaves = log2((double)node->peak / (double)burl_tree_heat(node->level)) - 1;
  return (float)((double)stability / (1 + octaves * octaves));
}

static void keep(search *s, const stretch *from) {
  const burl_tree_node *node = &s->tree->nodes[from->best];
  s->found[s->count++] = (burl_stable_node){.node = from->best,
                                            .stability = from->stability,
                                            .quality = quality_of(node, from->stability)};
}

static void walk(search *s, double spacing) {
  const burl_tree_node *nodes = s->tree->nodes;
  for (uint32_t i = 0; i < s->tree->node_count; i++) {
    uint32_t heir = s->heir[i];
    float stability = stability_of(s->tree, i);
    s->leaf[i] = heir == BURL_TREE_NONE ? i : s->leaf[heir];
    stretch fresh = {.start_area = nodes[i].area, .best = i, .stability = stability};
    s->open[i] = heir == BURL_TREE_NONE ? fresh : s->open[heir];
    if (nodes[i].area > spacing * s->open[i].start_area) {
      keep(s, &s->open[i]);
      s->open[i] = fresh;
    } else if (stability > s->open[i].stability) {
      s->open[i].best = i;
      s->open[i].stability = stability;
    }
    uint32_t parent = nodes[i].parent;
    if (parent != BURL_TREE_NONE && s->heir[parent] == i) continue;
    keep(s, &s->open[i]);
    s->end[s->leaf[i]] = burl_tree_heat(parent == BURL_TREE_NONE ? 0 : nodes[parent].level);
  }
}

/* Ripples go; a region of which one that was kept is nearly all would say the same twice. */
static void drop_ripples(search *s, double contrast) {
  size_t kept = 0;
  for (size_t i = 0; i < s->count; i++) {
    const burl_tree_node *node = &s->tree->nodes[s->found[i].node];
    float end = s->end[s->leaf[s->found[i].node]];
    if ((double)node->peak >= contrast * (double)end) s->found[kept++] = s->found[i];
  }
  s->count = kept;
}

burl_status burl_stable_nodes(burl_stable_node **found, size_t *count, const burl_max_tree *tree,
                              double contrast, double spacing) {
  search s = {.tree = tree};
  *found = NULL;
  *count = 0;
  if (tree->node_count == 0) return BURL_OK;
  s.found = burl_alloc(tree->node_count, sizeof *s.found); /* a node is kept once at most */
  if (!s.found || !reserve(&s)) {
    free(s.found);
    return BURL_ERR_MEMORY;
  }
  find_heirs(&s);
  walk(&s, spacing);
  drop_ripples(&s, contrast);
  burl_arena_close(&s.arena);
  *found = s.found;
  *count = s.count;
  return BURL_OK;
}
