/* synth/fault.h: one defect: where it lies and what it does to yarns and light. */
#ifndef BURL_SYNTH_FAULT_H
#define BURL_SYNTH_FAULT_H

#include "synth/cloth.h"

#define BURL_FAULT_FIBRES 96

/* What is wrong with the arrangement of a print: motifs of the layout that are not drawn, and
 * motifs drawn where none belongs. Bands (stripes, checks) only from `from` to `to` along them. */
typedef struct burl_misprint {
  size_t hidden, extra;
  struct {
    int axis; /* of bands: the axis they stand across */
    int64_t cell[2];
  } hide[2];
  struct {
    int axis, motif;
    double place[2]; /* in pixels of the print; bands: [axis] only */
  } add[2];
  double from, to;
} burl_misprint;

/* A loose fibre: an arc from (x, y) in pixels. */
typedef struct burl_fibre {
  float x, y, angle, bend; /* radians, radians a pixel */
  float length, opacity, lustre;
} burl_fibre;

typedef struct burl_fault {
  burl_defect kind;
  float strength;         /* 0 subtle .. 1 plain */
  burl_family family;     /* of the yarn concerned */
  int64_t yarn, from, to; /* its number, and the crossings along it */
  int reach;              /* neighbours that move */
  double centre[2];       /* u, v */
  float half[2];          /* half extent in spacings (hole, misweave) or pixels (nep, stain) */
  float pixel[2];         /* x, y of the centre */
  float turn[2];          /* cosine and sine of a stain's long axis */
  int variant;
  uint64_t key;
  ptrdiff_t box[4]; /* x0, y0, x1, y1: nothing changes outside; x1 and y1 exclusive */
  size_t fibres;
  burl_fibre fibre[BURL_FAULT_FIBRES];
  burl_misprint misprint;
} burl_fault;

struct burl_canvas;
struct burl_node;

/* Sets the box around low..high of cloth coordinates (u, v), with a margin in pixels. */
void burl_fault_enclose(burl_fault *fault, const burl_cloth *cloth, const double low[2],
                        const double high[2], double margin);

/* Chooses what is wrong with the arrangement; sets `misprint` and `box`. */
void burl_arrange_plan(burl_fault *fault, const burl_cloth *cloth);

/* Chooses place, size and strength from the cloth's image key; kind is not BURL_DEFECT_NONE. */
void burl_fault_plan(burl_fault *fault, const burl_cloth *cloth, burl_defect kind);

/* Whether a crossing is interlaced wrongly (a stitch shows its wrong side), which yarn lies on top
 * of it, and whether a yarn is there at all. `fault` may be NULL in the first two. */
int burl_fault_is_miswoven(const burl_fault *fault, int64_t end, int64_t pick);
int burl_fault_end_on_top(const burl_fault *fault, const burl_cloth *cloth, int64_t end,
                          int64_t pick);
int burl_fault_has_yarn(const burl_fault *fault, burl_family family, int64_t yarn,
                        int64_t position);

/* Moves and swells a yarn at a crossing. */
void burl_fault_bend(const burl_fault *fault, burl_family family, int64_t yarn, int64_t position,
                     struct burl_node *node);

/* Stains, oil and neps: light taken away or covered. */
void burl_fault_overlay(const burl_fault *fault, const burl_cloth *cloth,
                        struct burl_canvas *canvas);

#endif
