/* burl/heat.h: heat maps as files.
 *
 * A heat map is (height, width) float, the size of its image, registered to the pixel: heat (y,x)
 * belongs to image pixel (y,x). It is calibrated: 0 is typical of good cloth, 1 the model's
 * threshold.
 */
#ifndef BURL_HEAT_H
#define BURL_HEAT_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fixed scale of pictures: heat 0 is black, BURL_HEAT_SCALE (four times the threshold) is full.
 */
#define BURL_HEAT_SCALE 4.0

/* What a defect looks like, as far as a model with matched heads can tell. */
#define BURL_KIND_LIST(X)                                                                          \
  X(BURL_KIND_NONE, "")                                                                            \
  X(BURL_KIND_SPECK, "speck")                                                                      \
  X(BURL_KIND_STREAK, "streak")                                                                    \
  X(BURL_KIND_STAIN, "stain")                                                                      \
  X(BURL_KIND_HOLE, "hole")                                                                        \
  X(BURL_KIND_WEAVE, "weave fault")
#define BURL_KIND_ENUM(name, text) name,
typedef enum burl_kind { BURL_KIND_LIST(BURL_KIND_ENUM) BURL_KIND_COUNT } burl_kind;
#undef BURL_KIND_ENUM

/* "speck", "weave fault"...; "" for BURL_KIND_NONE, NULL outside the list. */
BURL_API const char *burl_kind_get_name(burl_kind kind);

/* Writes a NumPy file (version 1.0, little-endian float32, C order, shape (height, width)), whole
 * or not at all. Errors: BURL_ERR_ARGUMENT (no pixel), BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_heat_save_npy(const float *heat, size_t height, size_t width,
                                        const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* Writes a 16-bit grey PNG, value round(65535 * clamp(heat / BURL_HEAT_SCALE, 0, 1)), row by row:
 * no second copy of the map is made. Errors: BURL_ERR_ARGUMENT (no pixel), BURL_ERR_SIZE (the
 * limits of burl/image.h), BURL_ERR_NUMERIC (a NaN, which a picture cannot show), BURL_ERR_IO,
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_heat_save_png(const float *heat, size_t height, size_t width,
                                        const char *path, burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
