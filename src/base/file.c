/* Whole files: read at once, written through a temporary neighbour that is renamed at the end. */
#include "base/file.h"

#include "base/diag.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static burl_status read_stream(unsigned char **bytes, size_t *size, FILE *stream, const char *path,
                               size_t limit, burl_diag *diag) {
  struct stat st;
  if (fstat(fileno(stream), &st) != 0)
    return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be read");
  if (!S_ISREG(st.st_mode))
    return burl_fail(diag, BURL_ERR_IO, path, "Name a file.", "is not a regular file");
  if ((uintmax_t)st.st_size > limit)
    return burl_fail(diag, BURL_ERR_SIZE, path, NULL, "has %lld bytes, more than the limit of %zu",
                     (long long)st.st_size, limit);
  size_t n = (size_t)st.st_size;
  unsigned char *buffer = burl_alloc(n, 1);
  if (!buffer) return burl_fail_memory(diag, path);
  if (fread(buffer, 1, n, stream) != n) {
    free(buffer);
    return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be read to its end");
  }
  *bytes = buffer;
  *size = n;
  return BURL_OK;
}

burl_status burl_file_read(unsigned char **bytes, size_t *size, const char *path, size_t limit,
                           burl_diag *diag) {
  FILE *stream = fopen(path, "rb");
  if (!stream) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  burl_status status = read_stream(bytes, size, stream, path, limit, diag);
  fclose(stream);
  return status;
}

/* Makes the folders that path lies in. */
static int make_parents(char *path) {
  for (char *c = path + 1; *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    int failed = mkdir(path, 0777) != 0 && errno != EEXIST;
    *c = '/';
    if (failed) return 0;
  }
  return 1;
}

/* Opens a new file beside out->path; its name goes to out->temporary (room bytes). */
static FILE *open_neighbour(burl_output *out, size_t room) {
  for (int i = 0; i < 100; i++) {
    snprintf(out->temporary, room, "%s.part-%ld-%d", out->path, (long)getpid(), i);
    int file = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST) continue;
    return file < 0 ? NULL : fdopen(file, "wb");
  }
  return NULL;
}

burl_status burl_output_open(burl_output *out, const char *path, burl_diag *diag) {
  *out = (burl_output){0};
  struct stat st;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
    return burl_fail(diag, BURL_ERR_IO, path, "Name a file that may be replaced.",
                     "cannot be written: it is not a regular file");
  size_t room = strlen(path) + 48;
  out->path = burl_copy_text(path);
  out->temporary = burl_alloc(room, 1);
  if (!out->path || !out->temporary) {
    burl_output_abandon(out);
    return burl_fail_memory(diag, path);
  }
  if (make_parents(out->path)) out->stream = open_neighbour(out, room);
  if (out->stream) return BURL_OK;
  burl_status status = burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be written");
  burl_output_abandon(out);
  return status;
}

burl_status burl_output_commit(burl_output *out, burl_diag *diag) {
  errno = 0;
  int good = !ferror(out->stream) && fflush(out->stream) == 0 && fsync(fileno(out->stream)) == 0;
  good = fclose(out->stream) == 0 && good;
  out->stream = NULL;
  burl_status status = BURL_OK;
  if (!good || rename(out->temporary, out->path) != 0) {
    if (errno == 0) errno = EIO;
    status = burl_fail_errno(diag, BURL_ERR_IO, out->path, "cannot be written");
    unlink(out->temporary);
  }
  burl_output_abandon(out);
  return status;
}

void burl_output_abandon(burl_output *out) {
  if (out->stream) {
    fclose(out->stream);
    unlink(out->temporary);
  }
  free(out->path);
  free(out->temporary);
  *out = (burl_output){0};
}

burl_status burl_file_write(const char *path, const void *bytes, size_t size, burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fwrite(bytes, 1, size, out.stream);
  return burl_output_commit(&out, diag);
}
