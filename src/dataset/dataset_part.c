/* Parts borrow the texts of the whole. */
#include "dataset/dataset_part.h"

#include "base/memory.h"
#include "dataset/item_set.h"

#include <stdlib.h>

burl_status burl_dataset_take_part(burl_dataset **part, const burl_dataset *whole,
                                   const size_t *items, size_t count) {
  burl_dataset *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->layout = whole->layout;
  made->items = burl_alloc(count, sizeof *made->items);
  if (!made->items) {
    burl_dataset_free(made);
    return BURL_ERR_MEMORY;
  }
  for (size_t i = 0; i < count; i++)
    made->items[made->count++] = whole->items[items[i]];
  *part = made;
  return BURL_OK;
}
