/* burl/detect_truth.h: ground truth as boxes: from masks, from COCO annotations, from YOLO labels.
 */
#ifndef BURL_DETECT_TRUTH_H
#define BURL_DETECT_TRUTH_H

#include <burl/detect.h>

#ifdef __cplusplus
extern "C" {
#endif

/* *boxes (*count of them, freed by the caller with free(); NULL where there is none): round each
 * 8-connected component of a mask (height, width; 0: good), in the order in which a row by row scan
 * meets them. Errors: BURL_ERR_SIZE (2^32 pixels or more), BURL_ERR_MEMORY. */
BURL_API burl_status burl_boxes_from_mask(burl_box **boxes, size_t *count, const uint8_t *mask,
                                          size_t height, size_t width) BURL_MUST_CHECK;

#define BURL_TRUTH_BYTES ((size_t)1 << 28) /* of a file of boxes, at most */

/* The boxes of a YOLO label file (size bytes of text; `name` stands for the path in diagnoses) for
 * an image (height, width): lines "class x y w h" with the box's centre and sides as parts of the
 * image, 0 to 1; empty lines are passed over, parts of a box outside of the image are cut off.
 * *boxes is as above. Errors: BURL_ERR_FORMAT (a line, which is named), BURL_ERR_SIZE,
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_boxes_from_yolo(burl_box **boxes, size_t *count, const void *bytes,
                                          size_t size, const char *name, size_t height,
                                          size_t width, burl_diag *diag) BURL_MUST_CHECK;

/* The boxes of many images, from COCO annotations: {"images": [{"id", "file_name"}..],
 * "annotations": [{"image_id", "bbox": [x, y, w, h]}..]}, everything else is passed over, also
 * annotations with "iscrowd": 1. Errors: BURL_ERR_FORMAT (no JSON, or without these; an image_id
 * that no image has; a box that is none; an image twice), BURL_ERR_SIZE, BURL_ERR_MEMORY; of load
 * also BURL_ERR_IO. */
typedef struct burl_box_set burl_box_set;
BURL_API burl_status burl_box_set_load(burl_box_set **self, const char *path,
                                       burl_diag *diag) BURL_MUST_CHECK;
BURL_API burl_status burl_box_set_parse(burl_box_set **self, const void *bytes, size_t size,
                                        const char *name, burl_diag *diag) BURL_MUST_CHECK;
BURL_API void burl_box_set_free(burl_box_set *self);
BURL_API size_t burl_box_set_get_images(const burl_box_set *self);
/* The boxes of an image by its file name, *count of them, borrowed; NULL where no image has that
 * name. An image without boxes gives a pointer and *count 0. */
BURL_API const burl_box *burl_box_set_find(const burl_box_set *self, const char *file_name,
                                           size_t *count);

#ifdef __cplusplus
}
#endif
#endif
