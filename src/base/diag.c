/* Diagnoses: filled where a failure is seen, formatted where it is shown. */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies text into out (size bytes, > 0), cut at a UTF-8 character border with "..." where it is
 * too long. text may lie in out: one diagnosis is often made from another. */
static void copy_text(char *out, size_t size, const char *text) {
  const char *const end = size > 4 ? "..." : "";
  size_t n = text ? strlen(text) : 0;
  if (n < size) {
    if (n) memmove(out, text, n);
    out[n] = '\0';
    return;
  }
  size_t keep = size - 1 - strlen(end);
  while (keep > 0 && ((unsigned char)text[keep] & 0xC0) == 0x80)
    keep--;
  memmove(out, text, keep);
  memcpy(out + keep, end, strlen(end) + 1);
}

static void fill(burl_diag *diag, burl_status status, const char *path, int64_t offset,
                 const char *hint, const char *format, va_list args)
    __attribute__((format(printf, 6, 0)));

static void fill(burl_diag *diag, burl_status status, const char *path, int64_t offset,
                 const char *hint, const char *format, va_list args) {
  if (!diag) return;
  char reason[sizeof diag->reason + 64];
  if (vsnprintf(reason, sizeof reason, format, args) < 0) reason[0] = '\0';
  diag->status = status;
  diag->offset = offset;
  diag->line = 0;
  copy_text(diag->path, sizeof diag->path, path);
  copy_text(diag->reason, sizeof diag->reason, reason);
  copy_text(diag->hint, sizeof diag->hint, hint);
}

burl_status burl_fail(burl_diag *diag, burl_status status, const char *path, const char *hint,
                      const char *format, ...) {
  va_list args;
  va_start(args, format);
  fill(diag, status, path, -1, hint, format, args);
  va_end(args);
  return status;
}

burl_status burl_fail_at(burl_diag *diag, burl_status status, const char *path, int64_t offset,
                         const char *hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fill(diag, status, path, offset, hint, format, args);
  va_end(args);
  return status;
}

burl_status burl_fail_errno(burl_diag *diag, burl_status status, const char *path,
                            const char *what) {
  const int error = errno;
  char text[128];
  const char *why = strerror_r(error, text, sizeof text) == 0 ? text : "unknown reason";
  return burl_fail(diag, status, path, NULL, "%s: %s", what, why);
}

burl_status burl_fail_memory(burl_diag *diag, const char *path) {
  return burl_fail(diag, BURL_ERR_MEMORY, path, "Close other programs or use fewer threads.",
                   "not enough memory");
}

void burl_diag_format(char *text, size_t size, const burl_diag *diag) {
  char whole[sizeof diag->path + sizeof diag->reason + sizeof diag->hint + 64], place[48] = "";
  if (diag->line > 0)
    snprintf(place, sizeof place, " (line %lld)", (long long)diag->line);
  else if (diag->offset >= 0)
    snprintf(place, sizeof place, " (at byte %lld)", (long long)diag->offset);
  snprintf(whole, sizeof whole, "%s%s%s%s.%s%s", diag->path, diag->path[0] ? ": " : "",
           diag->reason[0] ? diag->reason : burl_status_get_text(diag->status), place,
           diag->hint[0] ? " " : "", diag->hint);
  for (char *c = whole; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
  copy_text(text, size, whole);
}

void burl_observe_problem(const burl_observer *observer, const burl_diag *diag) {
  if (observer && observer->problem) observer->problem(observer->context, diag);
}

void burl_observe_progress(const burl_observer *observer, const char *stage, size_t done,
                           size_t total) {
  if (observer && observer->progress) observer->progress(observer->context, stage, done, total);
}
