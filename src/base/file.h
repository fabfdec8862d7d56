/* base/file.h: whole files in, whole files out. */
#ifndef BURL_BASE_FILE_H
#define BURL_BASE_FILE_H

#include <burl/base.h>
#include <stdio.h>

/* Reads a whole regular file of at most `limit` bytes into *bytes (freed by the caller with
 * free()). Errors: BURL_ERR_IO (missing, a folder, unreadable), BURL_ERR_SIZE (above limit),
 * BURL_ERR_MEMORY. */
burl_status burl_file_read(unsigned char **bytes, size_t *size, const char *path, size_t limit,
                           burl_diag *diag) BURL_MUST_CHECK;

/* Writing so that a file appears whole or not at all: into a temporary file beside `path`, then
 * fsync and rename. Missing folders on the way are made. Every path out of open ends in commit or
 * abandon. burl_output out; if ((status = burl_output_open(&out, path, diag))) return status;
 *   ... fwrite(.., out.stream) ...
 *   return burl_output_commit(&out, diag);     (or burl_output_abandon(&out)) */
typedef struct burl_output {
  FILE *stream;
  char *path, *temporary;
} burl_output;

burl_status burl_output_open(burl_output *out, const char *path, burl_diag *diag) BURL_MUST_CHECK;
/* Fails (and leaves nothing) when any write failed, also those that the caller did not check. */
burl_status burl_output_commit(burl_output *out, burl_diag *diag) BURL_MUST_CHECK;
void burl_output_abandon(burl_output *out);

/* Writes `size` bytes as a file. */
burl_status burl_file_write(const char *path, const void *bytes, size_t size,
                            burl_diag *diag) BURL_MUST_CHECK;

#endif
