/* base/diag.h: filling a burl_diag. */
#ifndef BURL_BASE_DIAG_H
#define BURL_BASE_DIAG_H

#include <burl/base.h>

/* Fills diag (may be NULL) and returns status, so that a failure is one line:
 *   return burl_fail(diag, BURL_ERR_FORMAT, path, "Save it again as PNG.", "width is %u", w);
 * path and hint may be NULL. offset and line are set to "no meaning". */
burl_status burl_fail(burl_diag *diag, burl_status status, const char *path, const char *hint,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same with a byte offset. */
burl_status burl_fail_at(burl_diag *diag, burl_status status, const char *path, int64_t offset,
                         const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The same with the system's reason for a failed call (errno) after "what". */
burl_status burl_fail_errno(burl_diag *diag, burl_status status, const char *path,
                            const char *what);

/* BURL_ERR_MEMORY with the usual hint. */
burl_status burl_fail_memory(burl_diag *diag, const char *path);

/* Hands a diagnosis to an observer; either may be NULL. */
void burl_observe_problem(const burl_observer *observer, const burl_diag *diag);
void burl_observe_progress(const burl_observer *observer, const char *stage, size_t done,
                           size_t total);

#endif
