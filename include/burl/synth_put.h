/* burl/synth_put.h: synthetic defects put on images of good cloth, with exact masks.
 *
 * For choosing settings without a single real defect: an image is taken as it is and one place of
 * it is changed. Amplitudes are multiples of the image's own standard deviation, sizes follow its
 * sides, so that one table serves any cloth.
 *
 *   moved      a patch lies where another place of the same image belongs
 *   exchanged  a patch of another good image, from another place of it
 *   shifted    a patch has slipped by a few pixels
 *   stain      soft, darker or brighter
 *   speck      2 to 10 pixels, much darker or brighter
 *   streak     along the rows or columns: a yarn of another shade, missing or doubled
 *   hole       little of the cloth is left, darker or brighter
 *   scar       a patch of which the yarns run across
 *   warp       a band in which the weave is bent aside
 *   blur       a patch that is blurred
 *   step       a wide band, darker or brighter
 *
 * The first three are good cloth in the wrong place: faults of a print or of a panel's arrangement.
 */
#ifndef BURL_SYNTH_PUT_H
#define BURL_SYNTH_PUT_H

#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_PUT_LIST(X)                                                                           \
  X(BURL_PUT_MOVED, "moved")                                                                       \
  X(BURL_PUT_EXCHANGED, "exchanged")                                                               \
  X(BURL_PUT_SHIFTED, "shifted")                                                                   \
  X(BURL_PUT_STAIN, "stain")                                                                       \
  X(BURL_PUT_SPECK, "speck")                                                                       \
  X(BURL_PUT_STREAK, "streak")                                                                     \
  X(BURL_PUT_HOLE, "hole")                                                                         \
  X(BURL_PUT_SCAR, "scar")                                                                         \
  X(BURL_PUT_WARP, "warp")                                                                         \
  X(BURL_PUT_BLUR, "blur")                                                                         \
  X(BURL_PUT_STEP, "step")
#define BURL_PUT_ENUM(name, text) name,
typedef enum burl_put { BURL_PUT_LIST(BURL_PUT_ENUM) BURL_PUT_COUNT } burl_put;
#undef BURL_PUT_ENUM

/* "moved", "stain"...; NULL outside the list. */
BURL_API const char *burl_put_get_name(burl_put kind);

typedef struct burl_put_options {
  burl_put kind;
  uint64_t seed, index; /* one defect each: place, size, shape and sign follow from both */
  double strength;      /* of light and shade, 0.1..10; 1: from barely visible to plain */
} burl_put_options;

/* Changes one place of image (U8 or U16, 32 pixels a side and more) and makes its mask (U8, grey, 0
 * or 255), a new image to be freed by the caller; what mask held before is not freed. The defect
 * is a blob or a band of weights that fall from 1 to 0 at its edge. The mask holds every pixel that
 * changed by more than a 255th of the range and every one of a weight of a half or more.
 * `other` gives the patch of an exchange and may be NULL for the other kinds; it has the image's
 * channels and depth, and 32 pixels a side or more.
 * Image and mask are unchanged on error. Besides the mask, memory for its box is used.
 * Errors: BURL_ERR_ARGUMENT (options, float samples, no or another kind of `other`), BURL_ERR_SIZE
 * (a side below 32), BURL_ERR_MEMORY. */
BURL_API burl_status burl_synth_put(burl_image *image, burl_image *mask, const burl_image *other,
                                    const burl_put_options *options) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
