/* dataset/list.h: data sets given as a CSV list. */
#ifndef BURL_DATASET_LIST_H
#define BURL_DATASET_LIST_H

#include <burl/dataset.h>

#define BURL_LIST_MAX_BYTES ((size_t)1 << 28)

/* One line of a list, checked as far as it can be without looking at files. */
typedef struct burl_list_row {
  const char *path, *label;  /* as written, not empty */
  const char *mask, *source; /* NULL where there is none */
  burl_split split;
  int64_t line;
} burl_list_row;

typedef burl_status (*burl_list_visit)(void *context, const burl_list_row *row, burl_diag *diag);

/* Calls visit for every line of the list of size bytes, in order; `name` stands for its path in
 * diagnoses. Columns that are not known are told to the observer and passed over.
 * Errors: BURL_ERR_FORMAT, BURL_ERR_MEMORY, those of visit. */
burl_status burl_list_parse(const void *bytes, size_t size, const char *name, burl_list_visit visit,
                            void *context, const burl_observer *observer,
                            burl_diag *diag) BURL_MUST_CHECK;

/* Reads the list at path. Errors as burl_dataset_load. */
burl_status burl_list_load(burl_dataset **dataset, const char *path, const burl_observer *observer,
                           burl_diag *diag) BURL_MUST_CHECK;

/* Writes the name of an item that a list calls `path` into name (strlen(path)+1 bytes): relative,
 * without empty, "." and ".." parts, so that it can be used below any folder. */
void burl_list_get_name(char *name, const char *path);

#endif
