/* burl/evaluate_saturation.h: when a defect counts as found: the rules that MVTec LOCO gives in its
 * defects_config.json, by which AU-sPRO is measured.
 */
#ifndef BURL_EVALUATE_SATURATION_H
#define BURL_EVALUATE_SATURATION_H

#include <burl/evaluate.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_saturations burl_saturations;

/* Reads a list of objects with the keys pixel_value (1..255, the value that marks the defect in
 * masks), saturation_threshold (above 0) and relative_saturation (true: a share of the region's
 * pixels, at most 1; false: pixels); other keys are not looked at.
 * Errors: BURL_ERR_IO, BURL_ERR_SIZE (above 1 MiB), BURL_ERR_FORMAT, BURL_ERR_MEMORY. */
BURL_API burl_status burl_saturations_load(burl_saturations **self, const char *path,
                                           burl_diag *diag) BURL_MUST_CHECK;
/* The same from size bytes; `name` stands for the path. */
BURL_API burl_status burl_saturations_parse(burl_saturations **self, const void *bytes, size_t size,
                                            const char *name, burl_diag *diag) BURL_MUST_CHECK;
BURL_API void burl_saturations_free(burl_saturations *self);

/* How many of its `pixels` (> 0) pixels a region of this value needs: 1..pixels, rounded down; 0
 * where there is no rule for the value. */
BURL_API uint64_t burl_saturations_get(const burl_saturations *self, int value, uint64_t pixels);

/* Adds an image whose mask (height, width) says by its values which region a pixel is of (0:
 * defect-free), as burl_pixel_evaluator_add_saturated. Errors: also BURL_ERR_DATA (a value without
 * a rule, which *value then is). */
BURL_API burl_status burl_saturations_add(const burl_saturations *self,
                                          burl_pixel_evaluator *evaluator, const float *heat,
                                          const uint8_t *values, size_t height, size_t width,
                                          int *value) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
