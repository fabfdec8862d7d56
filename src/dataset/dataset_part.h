/* dataset/dataset_part.h: some items of a data set as a data set. */
#ifndef BURL_DATASET_DATASET_PART_H
#define BURL_DATASET_DATASET_PART_H

#include <burl/dataset.h>

/* items (count): indices in `whole`, which must outlive the part. Errors: BURL_ERR_MEMORY. */
burl_status burl_dataset_take_part(burl_dataset **part, const burl_dataset *whole,
                                   const size_t *items, size_t count) BURL_MUST_CHECK;

#endif
