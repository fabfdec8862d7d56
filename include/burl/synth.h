/* burl/synth.h: synthetic cloth drawn yarn by yarn, plain or printed, with known defects and exact
 * masks.
 *
 * A cloth is drawn from its weave: which yarn lies on top at each crossing, the yarns' paths,
 * thickness noise, hairiness, uneven light, sensor noise and a slight rotation. Same seed and
 * index, same bytes; all images of a seed are of one cloth. Yarns are 6 to 12 pixels apart (wales
 * of rib knit 12 to 16) whatever the size of the image.
 *
 * Twill is 2/1 or 3/1 to either side, satin of 5 or 8 ends, rib 1x1 or 2x2, by the seed. In rib
 * knit the defects of yarns are those of stitches: broken_end is a ladder (a dropped stitch that
 * ran along its wale), broken_pick a course missing over a length, thick_yarn a thick course,
 * misweave stitches that show the wrong side, oil_line a needle line along a wale.
 *
 * A print lies on top of the yarns: ink that colours them and leaves their relief to be seen. It
 * repeats every 40 to 200 pixels, both ways but for stripes, which run through in one direction.
 * All images of a seed carry the same print, whatever their size and weave; where it begins, and
 * how it drifts slowly by a pixel or two, belongs to the image. Dots are of two sizes, figures of
 * two to four shapes, stripes and checks of two to four widths; each has a place of its own in the
 * repeat.
 *
 * Four defects are of the arrangement alone (cloth and ink are good) and need a print: a figure, or
 * a stripe over a length, is missing, is there twice, lies elsewhere, or is another one of the same
 * print (a stripe changes places with its neighbour).
 */
#ifndef BURL_SYNTH_H
#define BURL_SYNTH_H

#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_WEAVE_LIST(X)                                                                         \
  X(BURL_WEAVE_PLAIN, "plain")                                                                     \
  X(BURL_WEAVE_TWILL, "twill")                                                                     \
  X(BURL_WEAVE_SATIN, "satin")                                                                     \
  X(BURL_WEAVE_RIB, "rib")
#define BURL_DEFECT_LIST(X)                                                                        \
  X(BURL_DEFECT_NONE, "good")                                                                      \
  X(BURL_DEFECT_BROKEN_PICK, "broken_pick")                                                        \
  X(BURL_DEFECT_BROKEN_END, "broken_end")                                                          \
  X(BURL_DEFECT_THICK_YARN, "thick_yarn")                                                          \
  X(BURL_DEFECT_NEP, "nep")                                                                        \
  X(BURL_DEFECT_HOLE, "hole")                                                                      \
  X(BURL_DEFECT_STAIN, "stain")                                                                    \
  X(BURL_DEFECT_OIL_LINE, "oil_line")                                                              \
  X(BURL_DEFECT_MISWEAVE, "misweave")                                                              \
  X(BURL_DEFECT_MISSING_FIGURE, "missing_figure")                                                  \
  X(BURL_DEFECT_DOUBLED_FIGURE, "doubled_figure")                                                  \
  X(BURL_DEFECT_SHIFTED_FIGURE, "shifted_figure")                                                  \
  X(BURL_DEFECT_SWAPPED_FIGURE, "swapped_figure")
#define BURL_PRINT_LIST(X)                                                                         \
  X(BURL_PRINT_NONE, "none")                                                                       \
  X(BURL_PRINT_DOTS, "dots")                                                                       \
  X(BURL_PRINT_STRIPES, "stripes")                                                                 \
  X(BURL_PRINT_CHECKS, "checks")                                                                   \
  X(BURL_PRINT_FIGURES, "figures")

#define BURL_SYNTH_ENUM(name, text) name,
typedef enum burl_weave { BURL_WEAVE_LIST(BURL_SYNTH_ENUM) BURL_WEAVE_COUNT } burl_weave;
typedef enum burl_defect { BURL_DEFECT_LIST(BURL_SYNTH_ENUM) BURL_DEFECT_COUNT } burl_defect;
typedef enum burl_print { BURL_PRINT_LIST(BURL_SYNTH_ENUM) BURL_PRINT_COUNT } burl_print;
#undef BURL_SYNTH_ENUM

#define BURL_REPEAT_LEAST 40
#define BURL_REPEAT_MOST 200

/* "plain", "broken_pick", "dots"...; NULL outside the lists. */
BURL_API const char *burl_weave_get_name(burl_weave weave);
BURL_API const char *burl_defect_get_name(burl_defect defect);
BURL_API const char *burl_print_get_name(burl_print print);

/* 1 for the four defects of arrangement, 0 for all others. */
BURL_API int burl_defect_needs_print(burl_defect defect);

typedef struct burl_synth_options {
  burl_weave weave;
  burl_defect defect;   /* BURL_DEFECT_NONE for good cloth */
  size_t height, width; /* 32..16384 */
  int colour;           /* 0 grey, 1 RGB (dyed) */
  uint64_t seed;        /* the cloth: yarn count, colours, angle */
  uint64_t index;       /* the image: noise, light, place and size of the defect */
  burl_print print;     /* BURL_PRINT_NONE for plain cloth */
  size_t repeat;        /* of the print, pixels, 40..200; 0: chosen by the seed; 0 without print */
} burl_synth_options;

/* plain, good, 256 x 256, grey, seed 1, index 0, no print. */
BURL_API burl_synth_options burl_synth_default_options(void);

/* The repeat of the print across the ends (0, left to right) and across the picks (1, downwards) in
 * pixels, before the cloth's slight rotation; 0 in a direction in which nothing repeats: along
 * stripes, and without a print. BURL_ERR_ARGUMENT if `print` or `repeat` does not hold. */
BURL_API burl_status burl_synth_get_repeat(double repeat[2],
                                           const burl_synth_options *options) BURL_MUST_CHECK;

/* Draws one image (U8) and its mask (U8, grey, 0 or 255: the pixels that the defect changed
 * visibly). The mask is found, not guessed: outside it no sample differs by more than 6 from the
 * same image without the defect; inside it only gaps of up to four pixels were closed, so that the
 * mask of a subtle defect of yarns may be in pieces. It is empty for good cloth. Both are new
 * images to be freed by the caller; what they held before is not freed, and they are unchanged on
 * error. Beyond them about a megabyte is used. Errors: BURL_ERR_MEMORY; BURL_ERR_ARGUMENT, also for
 * a defect of arrangement without a print or in an image smaller than two repeats. */
BURL_API burl_status burl_synth_draw(burl_image *image, burl_image *mask,
                                     const burl_synth_options *options) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
