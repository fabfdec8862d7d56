/* detect/stable_nodes.h: which nodes of a component tree become proposals. */
#ifndef BURL_DETECT_STABLE_NODES_H
#define BURL_DETECT_STABLE_NODES_H

#include "detect/max_tree.h"

typedef struct burl_stable_node {
  uint32_t node;
  float stability, quality;
} burl_stable_node;

/* *found (of *count, freed by the caller): the nodes that docs/math/detect.md calls stable, in
 * order of the tree. contrast and spacing are those of burl_proposal_options. *found is NULL where
 * there is none. Errors: BURL_ERR_MEMORY. */
burl_status burl_stable_nodes(burl_stable_node **found, size_t *count, const burl_max_tree *tree,
                              double contrast, double spacing) BURL_MUST_CHECK;

#endif
