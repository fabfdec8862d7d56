/* detect/suppress.h: the methods behind burl_suppress, on checked input. */
#ifndef BURL_DETECT_SUPPRESS_METHODS_H
#define BURL_DETECT_SUPPRESS_METHODS_H

#include <burl/detect_suppress.h>

typedef struct burl_suppress_task {
  burl_kept_box *kept; /* room for `most` */
  const burl_box *boxes;
  const float *scores;
  size_t n, most; /* n from 1, below 2^32; most <= n */
  const burl_suppress_options *options;
} burl_suppress_task;

/* Each writes task->kept and *count. Errors: BURL_ERR_MEMORY, exact also BURL_ERR_SIZE. */
burl_status burl_suppress_greedy(const burl_suppress_task *task, size_t *count) BURL_MUST_CHECK;
burl_status burl_suppress_soft(const burl_suppress_task *task, size_t *count) BURL_MUST_CHECK;
burl_status burl_suppress_exact(const burl_suppress_task *task, size_t *count) BURL_MUST_CHECK;

#endif
