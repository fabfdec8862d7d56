/* What a path holds, found out without opening an image. */
#include "base/diag.h"
#include "dataset/folder.h"
#include "dataset/item_set.h"
#include "dataset/layouts.h"
#include "dataset/list.h"

#include <stdlib.h>
#include <sys/stat.h>

static burl_status load_folder(burl_dataset **dataset, const char *path,
                               const burl_observer *observer, burl_diag *diag) {
  char *root = burl_path_trim(path);
  if (!root) return burl_fail_memory(diag, path);
  int is_mvtec = 0;
  burl_status status = burl_layout_is_mvtec(&is_mvtec, root, diag);
  if (status == BURL_OK)
    status = is_mvtec ? burl_mvtec_load(dataset, root, observer, diag)
                      : burl_folder_load(dataset, root, observer, diag);
  free(root);
  return status;
}

burl_status burl_dataset_load(burl_dataset **dataset, const char *path,
                              const burl_observer *observer, burl_diag *diag) {
  struct stat st;
  if (stat(path, &st) != 0) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  if (S_ISDIR(st.st_mode)) return load_folder(dataset, path, observer, diag);
  if (!S_ISREG(st.st_mode))
    return burl_fail(diag, BURL_ERR_DATA, path, "Name a folder of images, or a CSV list.",
                     "is neither a folder nor a file");
  if (burl_name_is_image(path))
    return burl_fail(diag, BURL_ERR_DATA, path, "Name the folder it lies in, or a CSV list.",
                     "is a single image and not a data set");
  return burl_list_load(dataset, path, observer, diag);
}

void burl_dataset_free(burl_dataset *dataset) {
  if (!dataset) return;
  free(dataset->items);
  burl_texts_free(&dataset->texts);
  free(dataset);
}

burl_layout burl_dataset_get_layout(const burl_dataset *dataset) {
  return dataset->layout;
}

size_t burl_dataset_get_count(const burl_dataset *dataset) {
  return dataset->count;
}

size_t burl_dataset_get_lost(const burl_dataset *dataset) {
  return dataset->lost;
}

const burl_item *burl_dataset_get_item(const burl_dataset *dataset, size_t i) {
  return &dataset->items[i];
}
