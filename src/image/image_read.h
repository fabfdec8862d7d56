/* image/image_read.h: where image bytes come from, and the two decoders. */
#ifndef BURL_IMAGE_IMAGE_READ_H
#define BURL_IMAGE_IMAGE_READ_H

#include <burl/image.h>
#include <stdio.h>

/* Bytes in memory (file is NULL) or in a regular file, read from the start to the end. */
typedef struct burl_source {
  const unsigned char *bytes;
  FILE *file;
  size_t size, at;  /* bytes in all, bytes read */
  const char *name; /* for diagnoses */
  int failed;       /* the system could not read (not: the end was reached) */
} burl_source;

/* Reads up to n bytes; fewer at the end and on failure. */
size_t burl_source_read(burl_source *source, void *out, size_t n);

/* The diagnosis when bytes were wanted and none came: truncated, or a failing disk. */
burl_status burl_source_fail(const burl_source *source, const char *kind, burl_diag *diag);

/* Both sides within the limits of burl/image.h? */
burl_status burl_check_image_size(uint64_t height, uint64_t width, const burl_source *source,
                                  burl_diag *diag) BURL_MUST_CHECK;

/* The decoders. The source stands at its first byte. *info receives the header; with image NULL no
 * more is read. Outputs are unchanged on error. Errors: those of burl_image_load. */
burl_status burl_png_read(burl_image *image, burl_image_info *info, burl_source *source,
                          burl_diag *diag) BURL_MUST_CHECK;
burl_status burl_jpeg_read(burl_image *image, burl_image_info *info, burl_source *source,
                           burl_diag *diag) BURL_MUST_CHECK;

#endif
