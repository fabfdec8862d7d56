/* burl/image.h: images as they are stored, and files in PNG and JPEG.
 *
 * An image keeps the depth of its file: 8 or 16 bits a sample, or float. Value v means v/255,
 * v/65535 or v. Encoders read float 0..1 from it region by region, so a large scan is never held as
 * float.
 */
#ifndef BURL_IMAGE_H
#define BURL_IMAGE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum burl_sample {
  BURL_U8 = 1,
  BURL_U16 = 2,
  BURL_F32 = 4
} burl_sample; /* bytes a sample */

typedef struct burl_image {
  size_t height, width, channels; /* channels: 1 grey, 3 RGB */
  burl_sample sample;
  void *data; /* (height, width, channels), rows without padding, owned; native byte order */
} burl_image;

/* What a file's header says of an image. */
typedef struct burl_image_info {
  size_t height, width, channels; /* channels as burl_image_load would give them: 1 or 3 */
  burl_sample sample;             /* likewise: BURL_U8 or BURL_U16 */
} burl_image_info;

/* No side may exceed BURL_IMAGE_MAX_SIDE and no image BURL_IMAGE_MAX_PIXELS. */
#define BURL_IMAGE_MAX_SIDE ((size_t)1 << 20)
#define BURL_IMAGE_MAX_PIXELS ((size_t)1 << 31)

/* Makes an image of zeros. `image` is unchanged on error.
 * Errors: BURL_ERR_ARGUMENT (a side is 0, channels not 1 or 3), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_image_new(burl_image *image, size_t height, size_t width, size_t channels,
                                    burl_sample sample) BURL_MUST_CHECK;

/* Frees the samples and sets the image to zeros. burl_image_free(NULL) and a zero image are fine.
 */
BURL_API void burl_image_free(burl_image *image);

/* Reads a PNG or JPEG file, told apart by content and not by name. PNG: 1 to 16 bits, grey, RGB,
 * palette, interlaced; fewer than 8 bits are widened to 8 (full range kept), 16 bits stay 16; an
 * alpha channel is dropped (the colour samples are taken as they are); a palette of greys gives a
 * grey image. JPEG: grey and colour, 8 bits; CMYK is refused. `image` is unchanged on error.
 * A file that is truncated or fails its checksums is refused, never half-read. Orientation tags are
 * not followed: pixels come as they are stored. Files are streamed: a load takes the image's own
 * memory and little more (a progressive JPEG for the time of reading twice the image's again).
 * Errors: BURL_ERR_IO (missing, a folder, unreadable), BURL_ERR_FORMAT (empty, damaged, no image),
 * BURL_ERR_UNSUPPORTED (another kind of image; CMYK, arithmetic coding or over 100 scans in a
 * JPEG), BURL_ERR_SIZE (above the limits), BURL_ERR_MEMORY. */
BURL_API burl_status burl_image_load(burl_image *image, const char *path,
                                     burl_diag *diag) BURL_MUST_CHECK;

/* The same from size bytes in memory; `name` stands for the path in diagnoses. */
BURL_API burl_status burl_image_decode(burl_image *image, const void *bytes, size_t size,
                                       const char *name, burl_diag *diag) BURL_MUST_CHECK;

/* Reads only the header of a file. Errors as burl_image_load. */
BURL_API burl_status burl_image_probe(burl_image_info *info, const char *path,
                                      burl_diag *diag) BURL_MUST_CHECK;

/* Writes a PNG file (U8 or U16, grey or RGB), whole or not at all.
 * Errors: BURL_ERR_ARGUMENT (float samples, no pixel), BURL_ERR_SIZE, BURL_ERR_IO, BURL_ERR_MEMORY.
 */
BURL_API burl_status burl_image_save_png(const burl_image *image, const char *path,
                                         burl_diag *diag) BURL_MUST_CHECK;

/* Copies a region as grey float into grey (height, width) with leading dimension ld >= width: the
 * mean of the channels, 0..1. The region must lie inside the image (asserted, not checked). */
BURL_API void burl_image_get_grey(const burl_image *image, float *grey, size_t ld, size_t y,
                                  size_t x, size_t height, size_t width);

/* The same for one channel. */
BURL_API void burl_image_get_channel(const burl_image *image, size_t channel, float *plane,
                                     size_t ld, size_t y, size_t x, size_t height, size_t width);

#ifdef __cplusplus
}
#endif
#endif
