/* model/head_material.h: what heads are matched on: cells of held-out good images, and of the same
 * images with one synthetic defect each. */
#ifndef BURL_MODEL_HEAD_MATERIAL_H
#define BURL_MODEL_HEAD_MATERIAL_H

#include "heat/head_search.h"
#include "model/fit_parts.h"
#include <burl/synth_put.h>

enum { HEAD_SEATS = 64 }; /* good images, and defects of each kind of put */

typedef struct head_put {
  burl_put put;
  burl_kind kind; /* of the head that is matched to it */
} head_put;

enum { HEAD_PUTS = 8 };
extern const head_put burl_head_puts[HEAD_PUTS];

typedef struct head_material {
  burl_head_cells good, set[HEAD_PUTS];
} head_material;
/* set k, or the good cells for k = HEAD_PUTS */
static inline burl_head_cells *burl_head_material_get(head_material *material, size_t k) {
  return k < HEAD_PUTS ? &material->set[k] : &material->good;
}

/* The good images are parted in two halves, runs of neighbours; a model is fitted on each and sees
 * the images of the other one. What one half shows and the other does not varies from lot to lot,
 * and a head that leans on it is found out. Of large images a part is looked at. *gathered is 0
 * where a half cannot be learned from: its images are all alike, say. Reports what is wrong to
 * f->data.diag. */
burl_status burl_head_material_gather(head_material *material, int *gathered,
                                      fit *f) BURL_MUST_CHECK;
void burl_head_material_free(head_material *material);

#endif
