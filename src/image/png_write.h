/* image/png_write.h: PNG files and PNG bytes, written row by row.
 *
 *   burl_png_writer *png;
 *   status = burl_png_writer_open(&png, path, height, width, 3, BURL_U8, NULL, NULL, diag);
 *   if (status != BURL_OK) return status;
 *   for (y = 0; y < height; y++)
 *     burl_png_writer_put(png, row);                    a failure is kept and told by commit
 *   return burl_png_writer_commit(png, diag);           or burl_png_writer_abandon(png)
 *
 * One row is held at a time. The file appears at commit, whole or not at all. Same rows, same
 * bytes.
 */
#ifndef BURL_IMAGE_PNG_WRITE_H
#define BURL_IMAGE_PNG_WRITE_H

#include <burl/image.h>

typedef struct burl_png_writer burl_png_writer;

/* Starts a file of `height` rows of `width` pixels of 1 (grey) or 3 (RGB) channels, BURL_U8 or
 * BURL_U16. `key` (NULL, or 1 to 79 letters of ASCII) and `text` (UTF-8) are kept in the file as a
 * text chunk. *writer is to be handed to exactly one of commit and abandon.
 * Errors: BURL_ERR_ARGUMENT, BURL_ERR_SIZE (the limits of burl/image.h), BURL_ERR_IO,
 * BURL_ERR_MEMORY. */
burl_status burl_png_writer_open(burl_png_writer **writer, const char *path, size_t height,
                                 size_t width, size_t channels, burl_sample sample, const char *key,
                                 const char *text, burl_diag *diag) BURL_MUST_CHECK;

/* The same into memory, to be ended with burl_png_writer_commit_bytes (or abandon). */
burl_status burl_png_writer_open_bytes(burl_png_writer **writer, size_t height, size_t width,
                                       size_t channels, burl_sample sample,
                                       burl_diag *diag) BURL_MUST_CHECK;

/* Writes the next row: width*channels samples, native byte order, not kept. After a failure the
 * rest is ignored and the first failure comes back each time; looking at it is optional, commit
 * tells it too. More rows than the picture has: BURL_ERR_ARGUMENT. */
burl_status burl_png_writer_put(burl_png_writer *writer, const void *row);

/* Ends a file and frees the writer. Nothing is left behind where anything failed or rows are
 * missing. Errors: BURL_ERR_IO, BURL_ERR_MEMORY, BURL_ERR_ARGUMENT (number of rows). */
burl_status burl_png_writer_commit(burl_png_writer *writer, burl_diag *diag) BURL_MUST_CHECK;

/* Ends a picture in memory and frees the writer: *bytes (*size of them) is freed by the caller with
 * free(). Errors: BURL_ERR_MEMORY, BURL_ERR_ARGUMENT (number of rows). */
burl_status burl_png_writer_commit_bytes(burl_png_writer *writer, unsigned char **bytes,
                                         size_t *size, burl_diag *diag) BURL_MUST_CHECK;

/* Gives up: frees the writer, leaves no file. NULL is fine. */
void burl_png_writer_abandon(burl_png_writer *writer);

/* A whole image as PNG bytes. Errors: BURL_ERR_ARGUMENT (float samples), BURL_ERR_MEMORY. */
burl_status burl_image_encode_png(unsigned char **bytes, size_t *size, const burl_image *image,
                                  burl_diag *diag) BURL_MUST_CHECK;

#endif
