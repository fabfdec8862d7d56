/* synth/print.h: a print: which motif stands where in its repeat, and its inks.
 *
 * Print coordinates (p, q) are pixels along u and v from the middle of the image, moved by the
 * image's phase and drift. They are cut into cells, a whole number of which makes the repeat. In
 * dots and figures a cell holds one motif in its middle or none; where the print is dropped, every
 * odd column stands half a cell lower. In stripes and checks a cell is a slot across the bands of
 * one axis, with one band in its middle; checks have bands across both axes.
 */
#ifndef BURL_SYNTH_PRINT_H
#define BURL_SYNTH_PRINT_H

#include "synth/figure.h"
#include <burl/synth.h>

#define BURL_MOTIFS 4
#define BURL_CELLS 4

typedef struct burl_motif {
  burl_shape shape;
  float radius; /* pixels; half the width of a band */
  float turn[2];
  int ink;
} burl_motif;

typedef struct burl_layout {
  burl_print kind;
  double repeat[2], cell[2]; /* pixels */
  int cells[2];              /* in a repeat; 0 along stripes */
  int dropped;
  burl_motif motif[BURL_MOTIFS];
  int motifs;
  unsigned char slot[BURL_CELLS]
                    [BURL_CELLS]; /* motif of column, row, BURL_MOTIFS: none; bands: [slot][0] */
  float ink[2][3];                /* by how much each ink changes a channel's light */
  float body;                     /* how much of a drop stays in the figure */
  double phase[2], drift[2], drift_rate[2], drift_phase[2]; /* of the image */
} burl_layout;

/* `key` is the image's. Without a print only `kind` is set. */
void burl_print_plan(burl_layout *layout, const burl_synth_options *options, uint64_t key);

/* Whether motifs are bands, and the motif of a cell, NULL if it is empty. */
int burl_print_has_bands(const burl_layout *layout);
const burl_motif *burl_print_motif(const burl_layout *layout, int axis, const int64_t cell[2]);

/* The cell at a place, and its middle; the slot of an axis at a place along it. */
void burl_print_cell_at(int64_t cell[2], double middle[2], const burl_layout *layout,
                        const double place[2]);
int64_t burl_print_slot_at(double *middle, const burl_layout *layout, int axis, double place);

#endif
