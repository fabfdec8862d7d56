/* burl/base.h: what every module shares: version, status codes, diagnostics, observers.
 *
 * Every function that can fail returns a burl_status. Functions that read files or take user data
 * also fill a caller-owned burl_diag, which says what went wrong, where, why, and what to do.
 * The library never prints, exits, aborts or keeps global state. On error outputs are unchanged.
 */
#ifndef BURL_BASE_H
#define BURL_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_VERSION "0.1.0"

#if defined(__GNUC__)
#define BURL_API __attribute__((visibility("default")))
#define BURL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define BURL_API
#define BURL_MUST_CHECK
#endif

/* The version of the library at run time, as "major.minor.patch". */
BURL_API const char *burl_version(void);

/* Status codes. Numbers are pinned: tens are topics (1x arguments, 2x system, 3x files, 4x data).
 */
#define BURL_STATUS_LIST(X)                                                                        \
  X(BURL_OK, 0, "ok")                                                                              \
  X(BURL_ERR_ARGUMENT, 10, "an argument is outside its range")                                     \
  X(BURL_ERR_SIZE, 11, "sizes do not fit together or exceed a limit")                              \
  X(BURL_ERR_MEMORY, 20, "not enough memory")                                                      \
  X(BURL_ERR_IO, 21, "the system could not read or write a file")                                  \
  X(BURL_ERR_CANCELLED, 22, "stopped on request")                                                  \
  X(BURL_ERR_FORMAT, 30, "a file is malformed or truncated")                                       \
  X(BURL_ERR_UNSUPPORTED, 31, "a file uses a feature that is not supported")                       \
  X(BURL_ERR_VERSION, 32, "a file has a format version that is not supported")                     \
  X(BURL_ERR_CHECKSUM, 33, "a file's checksum does not match its content")                         \
  X(BURL_ERR_DATA, 40, "the data does not allow what was asked")                                   \
  X(BURL_ERR_NUMERIC, 41, "a value is not finite")

typedef enum burl_status {
#define BURL_STATUS_ENUM(name, number, text) name = number,
  BURL_STATUS_LIST(BURL_STATUS_ENUM)
#undef BURL_STATUS_ENUM
} burl_status;

/* The name ("BURL_ERR_IO") and the sentence of a status; never NULL, also for unknown numbers. */
BURL_API const char *burl_status_get_name(burl_status status);
BURL_API const char *burl_status_get_text(burl_status status);

/* What went wrong. Owned by the caller, holds no pointers, needs no freeing. `{0}` is empty.
 * Texts too long for their field are cut at a character border and end in "...". */
typedef struct burl_diag {
  burl_status status;
  int64_t offset;   /* byte offset (or line, see `line`) in `path`, -1 where it has no meaning */
  int64_t line;     /* line number in a text file, from 1; 0 where it has no meaning */
  char path[1024];  /* file or folder concerned, "" if none */
  char reason[512]; /* what is wrong, with the offending value */
  char hint[256];   /* what to do about it, "" if nothing can be said */
} burl_diag;

/* Writes "PATH: REASON (at byte OFFSET). HINT" into text (size bytes, always terminated; size > 0;
 * 2048 hold all of it). Control characters are written as '?', so that one diagnosis is one line.
 */
BURL_API void burl_diag_format(char *text, size_t size, const burl_diag *diag);

/* How a caller follows long work. Either function may be NULL. Calls come from one thread at a
 * time, problems in the order of the inputs whatever the number of threads. */
typedef struct burl_observer {
  void *context;
  /* `done` of `total` steps of `stage` are finished (total >= 1). */
  void (*progress)(void *context, const char *stage, size_t done, size_t total);
  /* An input was left out, or something looks odd; work goes on. */
  void (*problem)(void *context, const burl_diag *diag);
} burl_observer;

/* Sets the number of threads that BLAS itself uses, a setting of the whole process. burl spreads
 * images and tiles over threads of its own; programs that want the same bytes for every thread
 * count call burl_blas_set_threads(1) once at start, as the tool does. */
BURL_API void burl_blas_set_threads(int threads);

#ifdef __cplusplus
}
#endif
#endif
