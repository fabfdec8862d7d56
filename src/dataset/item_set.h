/* dataset/item_set.h: collecting the items of a data set.
 *
 * An item is told from others by its file (device, inode, size, time) within its split: the same
 * file under another name, through a link or in another line, is not taken twice. Names that would
 * occur twice within a split get "-2", "-3"... before the extension. */
#ifndef BURL_DATASET_ITEM_SET_H
#define BURL_DATASET_ITEM_SET_H

#include "dataset/folder.h"
#include "dataset/texts.h"

#include <burl/dataset.h>

struct burl_dataset {
  burl_layout layout;
  size_t lost;
  burl_item *items;
  size_t count;
  burl_texts texts;
};

/* `{.path = ...}` is empty. */
typedef struct burl_item_set {
  const char *path; /* the data set, for diagnoses; may be NULL */
  const burl_observer *observer;
  burl_item *items;
  size_t count, capacity;
  size_t repeated; /* files named more than once; the first of them */
  const char *repeated_name;
  size_t lost; /* named or listed, but not there to be read */
  burl_texts texts;
  burl_text_map files, names;
} burl_item_set;

/* Adds a copy of item (`defective` follows from the label, "good" in any case is "good"; the mask
 * of a good item is dropped). `line` is where a list names it, 0 without a list. A file that is
 * already there with another label or mask is told to the observer and stays as it is.
 * Errors: BURL_ERR_DATA (the same file is good here and defective there), BURL_ERR_MEMORY. */
burl_status burl_item_set_add(burl_item_set *set, const burl_item *item, const burl_file_id *id,
                              int64_t line, burl_diag *diag) BURL_MUST_CHECK;

/* Sorts the items into a data set of their own and empties the set. Errors: BURL_ERR_MEMORY. */
burl_status burl_item_set_finish(burl_dataset **dataset, burl_item_set *set, burl_layout layout,
                                 burl_diag *diag) BURL_MUST_CHECK;
void burl_item_set_free(burl_item_set *set);

#endif
