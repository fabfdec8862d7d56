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

/* Reads what is there of n bytes; its number goes to *got. 0 where the system fails. */
static int read_all(int file, unsigned char *buffer, size_t n, size_t *got) {
  for (*got = 0; *got < n;) {
    size_t part = n - *got < 1u << 30 ? n - *got : 1u << 30;
    ssize_t r = read(file, buffer + *got, part);
    if (r < 0 && errno == EINTR) continue;
    if (r < 0) return 0;
    if (r == 0) break;
    *got += (size_t)r;
  }
  return 1;
}

static burl_status read_open(unsigned char **bytes, size_t *size, int file, const char *path,
                             size_t limit, burl_diag *diag) {
  struct stat st;
  if (fstat(file, &st) != 0) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be read");
  if (!S_ISREG(st.st_mode))
    return burl_fail(diag, BURL_ERR_IO, path, "Name a file.", "is not a regular file");
  if ((uintmax_t)st.st_size > limit)
    return burl_fail(diag, BURL_ERR_SIZE, path, NULL, "has %lld bytes, more than the limit of %zu",
                     (long long)st.st_size, limit);
  size_t n = (size_t)st.st_size, got;
  unsigned char *buffer = burl_alloc(n, 1);
  if (!buffer) return burl_fail_memory(diag, path);
  burl_status status = BURL_OK;
  if (!read_all(file, buffer, n, &got))
    status = burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be read to its end");
  else if (got < n)
    status = burl_fail_at(diag, BURL_ERR_IO, path, (int64_t)got, "Is it being written to?",
                          "ends before its %zu bytes", n);
  if (status != BURL_OK) {
    free(buffer);
    return status;
  }
  *bytes = buffer;
  *size = n;
  return BURL_OK;
}

burl_status burl_file_read(unsigned char **bytes, size_t *size, const char *path, size_t limit,
                           burl_diag *diag) {
  /* without O_NONBLOCK the opening of a pipe would wait for somebody who writes to it */
  int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  burl_status status = read_open(bytes, size, file, path, limit, diag);
  close(file);
  return status;
}

/* Leaves errno as it is. */
static int is_folder(const char *path) {
  const int error = errno;
  struct stat st;
  int folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
  errno = error;
  return folder;
}

/* Makes the folders that path (not empty) lies in. */
static int make_parents(char *path) {
  for (char *c = path + 1; *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    int failed = mkdir(path, 0777) != 0 && errno != EEXIST && !is_folder(path);
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
    FILE *stream = file < 0 ? NULL : fdopen(file, "wb");
    if (file >= 0 && !stream) {
      const int error = errno;
      close(file);
      unlink(out->temporary);
      errno = error;
    }
    return stream;
  }
  return NULL;
}

burl_status burl_output_open(burl_output *out, const char *path, burl_diag *diag) {
  *out = (burl_output){0};
  struct stat st;
  if (path[0] == '\0' || path[strlen(path) - 1] == '/')
    return burl_fail(diag, BURL_ERR_IO, path, "Name a file.",
                     "cannot be written: a file name is missing");
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
  int good = !ferror(out->stream);
  if (!good) fputc(0, out->stream); /* the reason of the first failure is lost: fail again for it */
  good = fflush(out->stream) == 0 && good && fsync(fileno(out->stream)) == 0;
  int error = errno;
  if (fclose(out->stream) != 0 && good) {
    good = 0;
    error = errno;
  }
  out->stream = NULL;
  if (good && rename(out->temporary, out->path) != 0) {
    good = 0;
    error = errno;
  }
  burl_status status = BURL_OK;
  if (!good) {
    unlink(out->temporary);
    errno = error ? error : EIO;
    status = burl_fail_errno(diag, BURL_ERR_IO, out->path, "cannot be written");
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
  if (size) fwrite(bytes, 1, size, out.stream);
  return burl_output_commit(&out, diag);
}
