/* dataset/layouts.h: data sets given as folders. */
#ifndef BURL_DATASET_LAYOUTS_H
#define BURL_DATASET_LAYOUTS_H

#include <burl/dataset.h>

/* 1 where folder holds train/good, or test with a folder in it. */
burl_status burl_layout_is_mvtec(int *is_mvtec, const char *folder,
                                 burl_diag *diag) BURL_MUST_CHECK;

/* Both take a path as burl_path_trim leaves it. Errors as burl_dataset_load. */
burl_status burl_mvtec_load(burl_dataset **dataset, const char *path, const burl_observer *observer,
                            burl_diag *diag) BURL_MUST_CHECK;
burl_status burl_folder_load(burl_dataset **dataset, const char *path,
                             const burl_observer *observer, burl_diag *diag) BURL_MUST_CHECK;

#endif
