/* burl/synth.h: synthetic cloth drawn yarn by yarn, with known defects and exact masks.
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
  X(BURL_DEFECT_MISWEAVE, "misweave")

#define BURL_SYNTH_ENUM(name, text) name,
typedef enum burl_weave { BURL_WEAVE_LIST(BURL_SYNTH_ENUM) BURL_WEAVE_COUNT } burl_weave;
typedef enum burl_defect { BURL_DEFECT_LIST(BURL_SYNTH_ENUM) BURL_DEFECT_COUNT } burl_defect;
#undef BURL_SYNTH_ENUM

/* "plain", "broken_pick"...; NULL outside the lists. */
BURL_API const char *burl_weave_get_name(burl_weave weave);
BURL_API const char *burl_defect_get_name(burl_defect defect);

typedef struct burl_synth_options {
  burl_weave weave;
  burl_defect defect;   /* BURL_DEFECT_NONE for good cloth */
  size_t height, width; /* 32..16384 */
  int colour;           /* 0 grey, 1 RGB (dyed) */
  uint64_t seed;        /* the cloth: yarn count, colours, angle */
  uint64_t index;       /* the image: noise, light, place and size of the defect */
} burl_synth_options;

/* plain, good, 256 x 256, grey, seed 1, index 0. */
BURL_API burl_synth_options burl_synth_default_options(void);

/* Draws one image (U8) and its mask (U8, grey, 0 or 255: the pixels that the defect changed
 * visibly). The mask is found, not guessed: outside it no sample differs by more than 6 from the
 * same image without the defect; inside it only gaps of up to four pixels were closed, so that the
 * mask of a subtle defect of yarns may be in pieces. It is empty for good cloth. Both are new
 * images to be freed by the caller; what they held before is not freed, and they are unchanged on
 * error. Beyond them about a megabyte is used. Errors: BURL_ERR_ARGUMENT, BURL_ERR_MEMORY. */
BURL_API burl_status burl_synth_draw(burl_image *image, burl_image *mask,
                                     const burl_synth_options *options) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
