/* Folders of images without an order of their own: all below them counts. Used as a data set (all
 * are good training images) and for images named on a command line (all are to be scored). */
#include "dataset/layouts.h"

#include "base/diag.h"
#include "base/memory.h"
#include "dataset/folder.h"
#include "dataset/item_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct gathering {
  burl_item_set set;
  burl_split split;
  size_t others;
  int many; /* several paths were named: one that is not there is left out */
} gathering;

static burl_status take_image(void *context, const char *path, const char *name,
                              const burl_file_id *id, burl_diag *diag) {
  gathering *gather = context;
  const burl_item item = {.path = path, .name = name, .label = "good", .split = gather->split};
  return burl_item_set_add(&gather->set, &item, id, 0, diag);
}

static burl_status gather_folder(gathering *gather, const char *root, burl_diag *diag) {
  burl_walk walk = {
      .root = root, .observer = gather->set.observer, .context = gather, .visit = take_image};
  burl_status status = burl_walk_below(&walk, "", diag);
  gather->others += walk.others;
  gather->set.lost += walk.lost;
  burl_walk_free(&walk);
  return status;
}

static burl_status fail_empty(const gathering *gather, const char *path, burl_diag *diag) {
  return burl_fail(diag, BURL_ERR_DATA, path,
                   "Name a folder that holds .png, .jpg or .jpeg files, directly or in subfolders.",
                   gather->others ? "holds no image (%zu other files)"
                                  : "holds no image: it is empty (%zu files)",
                   gather->others);
}

/* Looks at one entry of the root: a data set of its own is refused, because its defects and masks
 * would all count as good images; names that promise another layout are told. */
static burl_status look_at_child(const char *root, const burl_entry *entry,
                                 const burl_observer *observer, burl_diag *diag) {
  char *path = burl_path_join(root, entry->name);
  if (!path) return burl_fail_memory(diag, root);
  int is_mvtec = 0;
  burl_status status = burl_layout_is_mvtec(&is_mvtec, path, diag);
  free(path);
  if (status == BURL_OK && is_mvtec)
    return burl_fail(diag, BURL_ERR_DATA, root, "Name one of the data sets in it.",
                     "holds whole data sets, such as '%s', and not the images of one", entry->name);
  const char *name = entry->name;
  if (strcmp(name, "train") == 0 || strcmp(name, "test") == 0 ||
      strcmp(name, "ground_truth") == 0) {
    burl_diag problem;
    burl_fail(&problem, BURL_ERR_DATA, root,
              "For training and test images put them into train/good and test/CLASS.",
              "is read as a plain folder: everything below '%s' counts as a good training image",
              name);
    burl_observe_problem(observer, &problem);
  }
  return status;
}

static burl_status look_at_children(const char *root, const burl_observer *observer,
                                    burl_diag *diag) {
  burl_listing listing = {0};
  burl_status status = burl_listing_read(&listing, root, diag);
  for (size_t i = 0; status == BURL_OK && i < listing.count; i++)
    if (listing.entries[i].kind == BURL_ENTRY_FOLDER)
      status = look_at_child(root, &listing.entries[i], observer, diag);
  burl_listing_free(&listing);
  return status;
}

burl_status burl_folder_load(burl_dataset **dataset, const char *path,
                             const burl_observer *observer, burl_diag *diag) {
  gathering gather = {.set = {.path = path, .observer = observer}, .split = BURL_SPLIT_TRAIN};
  burl_status status = look_at_children(path, observer, diag);
  if (status == BURL_OK) status = gather_folder(&gather, path, diag);
  if (status == BURL_OK && gather.set.count == 0) status = fail_empty(&gather, path, diag);
  if (status == BURL_OK)
    status = burl_item_set_finish(dataset, &gather.set, BURL_LAYOUT_FOLDER, diag);
  burl_item_set_free(&gather.set);
  return status;
}

static burl_status gather_file(gathering *gather, const char *path, const burl_file_id *id,
                               burl_diag *diag) {
  const char *slash = strrchr(path, '/');
  return take_image(gather, path, slash ? slash + 1 : path, id, diag);
}

static burl_status gather_path(gathering *gather, const char *path, burl_diag *diag) {
  burl_file_id id;
  int error;
  burl_diag problem;
  size_t before = gather->set.count + gather->set.repeated;
  burl_status status;
  char *root;
  switch (burl_entry_look(path, &id, &error)) {
  case BURL_ENTRY_IMAGE:
  case BURL_ENTRY_OTHER: /* named by hand: what it is, its content says */
    return gather_file(gather, path, &id, diag);
  case BURL_ENTRY_FOLDER:
    root = burl_path_trim(path);
    status = root ? gather_folder(gather, root, diag) : burl_fail_memory(diag, path);
    free(root);
    if (status != BURL_OK || gather->set.count + gather->set.repeated > before) return status;
    burl_fail(&problem, BURL_ERR_DATA, path, NULL, "holds no .png, .jpg or .jpeg file");
    break;
  case BURL_ENTRY_BROKEN:
  default:
    errno = error;
    status = burl_fail_errno(&problem, BURL_ERR_IO, path, "cannot be opened");
    if (!gather->many) {
      if (diag) *diag = problem;
      return status;
    }
    gather->set.lost++;
  }
  burl_observe_problem(gather->set.observer, &problem);
  return BURL_OK;
}

burl_status burl_dataset_from_paths(burl_dataset **dataset, const char *const *paths, size_t count,
                                    const burl_observer *observer, burl_diag *diag) {
  const char *first = count == 1 ? paths[0] : NULL;
  gathering gather = {
      .set = {.path = first, .observer = observer}, .split = BURL_SPLIT_TEST, .many = count > 1};
  burl_status status = BURL_OK;
  for (size_t i = 0; status == BURL_OK && i < count; i++)
    status = gather_path(&gather, paths[i], diag);
  if (status == BURL_OK && gather.set.count == 0)
    status = burl_fail(
        diag, BURL_ERR_DATA, first, "Name PNG or JPEG files, or folders that hold some.",
        "there is no image in what was named (%zu paths, %zu other files)", count, gather.others);
  if (status == BURL_OK)
    status = burl_item_set_finish(dataset, &gather.set, BURL_LAYOUT_FOLDER, diag);
  burl_item_set_free(&gather.set);
  return status;
}
