/* The layout of MVTec AD: train/good, test/CLASS, ground_truth/CLASS. Masks are found first and
 * kept under their name without extension; an image then asks for its name with "_mask" and
 * without. What lies beside these folders is not read, and folders and images among it are told. */
#include "dataset/layouts.h"

#include "base/diag.h"
#include "base/memory.h"
#include "dataset/folder.h"
#include "dataset/item_set.h"

#include <stdlib.h>
#include <string.h>

typedef struct mask {
  const char *path, *name;
  int used;
} mask;

typedef struct reading {
  burl_item_set set;
  const char *root;
  const char *label; /* of the folder being read */
  burl_split split;
  mask *masks;
  size_t mask_count, mask_capacity;
  burl_texts texts;
  burl_text_map by_stem; /* "CLASS/X_mask" or "CLASS/X" to a mask's number + 1 */
} reading;

/* 1 where the entries have a folder whose name is `name` ("" for any) in any case. */
static int has_folder(const burl_listing *listing, const char *name) {
  for (size_t i = 0; i < listing->count; i++)
    if (listing->entries[i].kind == BURL_ENTRY_FOLDER &&
        (!name[0] || burl_text_equal_fold(listing->entries[i].name, name)))
      return 1;
  return 0;
}

/* Lists folder/name; without such a folder there are no entries. */
static burl_status list_below(burl_listing *listing, const char *folder, const char *name,
                              burl_diag *diag) {
  char *path = burl_path_join(folder, name);
  if (!path) return burl_fail_memory(diag, folder);
  burl_file_id id;
  int error;
  burl_status status = BURL_OK;
  if (burl_entry_look(path, &id, &error) == BURL_ENTRY_FOLDER)
    status = burl_listing_read(listing, path, diag);
  free(path);
  return status;
}

burl_status burl_layout_is_mvtec(int *is_mvtec, const char *folder, burl_diag *diag) {
  burl_listing train = {0}, test = {0};
  burl_status status = list_below(&train, folder, "train", diag);
  if (status == BURL_OK) status = list_below(&test, folder, "test", diag);
  if (status == BURL_OK) *is_mvtec = has_folder(&train, "good") || has_folder(&test, "");
  burl_listing_free(&train);
  burl_listing_free(&test);
  return status;
}

/* The length of a name without its extension. */
static size_t get_stem(const char *name) {
  return (size_t)(strrchr(name, '.') - name);
}

static burl_status take_mask(void *context, const char *path, const char *name,
                             const burl_file_id *id, burl_diag *diag) {
  reading *read = context;
  (void)id;
  mask *grown = burl_grown(read->masks, read->mask_count, &read->mask_capacity, sizeof *grown);
  if (!grown) return burl_fail_memory(diag, path);
  read->masks = grown;
  const char *below = strchr(name, '/') + 1; /* after "ground_truth/" */
  mask *fresh = &grown[read->mask_count];
  *fresh = (mask){.path = burl_texts_copy(&read->texts, path, strlen(path)),
                  .name = burl_texts_copy(&read->texts, name, strlen(name))};
  const char *stem = burl_texts_copy(&read->texts, below, get_stem(below));
  size_t *place = stem ? burl_text_map_at(&read->by_stem, stem) : NULL;
  if (!fresh->path || !fresh->name || !place) return burl_fail_memory(diag, path);
  read->mask_count++;
  if (*place == 0) *place = read->mask_count;
  return BURL_OK;
}

/* The mask of the image test/CLASS/X: CLASS/X_mask before CLASS/X. *path is NULL without one. */
static burl_status find_mask(const char **path, reading *read, const char *name, burl_diag *diag) {
  const char *below = strchr(name, '/') + 1; /* after "test/" */
  size_t stem = get_stem(below);
  *path = NULL;
  char *key = burl_alloc(stem + sizeof "_mask", 1);
  if (!key) return burl_fail_memory(diag, read->root);
  memcpy(key, below, stem);
  memcpy(key + stem, "_mask", sizeof "_mask");
  size_t number = burl_text_map_find(&read->by_stem, key);
  key[stem] = '\0';
  if (number == 0) number = burl_text_map_find(&read->by_stem, key);
  if (number) {
    *path = read->masks[number - 1].path;
    read->masks[number - 1].used = 1;
  }
  free(key);
  return BURL_OK;
}

static burl_status take_image(void *context, const char *path, const char *name,
                              const burl_file_id *id, burl_diag *diag) {
  reading *read = context;
  burl_item item = {.path = path, .name = name, .label = read->label, .split = read->split};
  if (!burl_text_equal_fold(read->label, "good")) {
    burl_status status = find_mask(&item.mask, read, name, diag);
    if (status != BURL_OK) return status;
  }
  return burl_item_set_add(&read->set, &item, id, 0, diag);
}

static void report_stray(const reading *read, const char *folder, const burl_entry *entry) {
  char *name = burl_path_join(folder, entry->name), *path = NULL;
  if (name) path = burl_path_join(read->root, name);
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, path ? path : read->root,
            "Read are train/good, test/CLASS and ground_truth/CLASS.",
            "this folder has no place in the layout and is not read");
  burl_observe_problem(read->set.observer, &problem);
  free(name);
  free(path);
}

static void report_stray_images(const reading *read, const char *folder,
                                const burl_listing *listing) {
  size_t images = 0;
  for (size_t i = 0; i < listing->count; i++)
    images += listing->entries[i].kind == BURL_ENTRY_IMAGE;
  if (images == 0) return;
  char *path = burl_path_join(read->root, folder);
  burl_diag problem;
  burl_fail(
      &problem, BURL_ERR_DATA, path ? path : read->root, "Put them into train/good or test/CLASS.",
      "%zu images directly in this folder have no place in the layout and are not read", images);
  burl_observe_problem(read->set.observer, &problem);
  free(path);
}

static burl_status read_class(reading *read, burl_walk *walk, const char *folder, const char *label,
                              burl_diag *diag) {
  char *start = burl_path_join(folder, label);
  if (!start) return burl_fail_memory(diag, read->root);
  read->label = label;
  burl_status status = burl_walk_below(walk, start, diag);
  free(start);
  return status;
}

/* Reads train (only what is good) or test (everything). */
static burl_status read_split(reading *read, burl_walk *walk, burl_split split, burl_diag *diag) {
  const char *folder = split == BURL_SPLIT_TRAIN ? "train" : "test";
  burl_listing listing = {0};
  burl_status status = list_below(&listing, read->root, folder, diag);
  read->split = split;
  if (status == BURL_OK) report_stray_images(read, folder, &listing);
  for (size_t i = 0; status == BURL_OK && i < listing.count; i++) {
    const burl_entry *entry = &listing.entries[i];
    if (entry->kind != BURL_ENTRY_FOLDER) continue;
    if (split == BURL_SPLIT_TEST || burl_text_equal_fold(entry->name, "good"))
      status = read_class(read, walk, folder, entry->name, diag);
    else
      report_stray(read, folder, entry);
  }
  burl_listing_free(&listing);
  return status;
}

/* Tells what lies beside train, test and ground_truth; *has_masks is 1 where the last is there. */
static burl_status look_at_root(int *has_masks, const reading *read, burl_diag *diag) {
  static const char *const known[] = {"train", "test", "ground_truth"};
  burl_listing listing = {0};
  burl_status status = burl_listing_read(&listing, read->root, diag);
  if (status != BURL_OK) return status;
  report_stray_images(read, "", &listing);
  *has_masks = 0;
  for (size_t i = 0; i < listing.count; i++) {
    if (listing.entries[i].kind != BURL_ENTRY_FOLDER) continue;
    int place = 0;
    while (place < 3 && strcmp(listing.entries[i].name, known[place]) != 0)
      place++;
    if (place == 3) report_stray(read, "", &listing.entries[i]);
    if (place == 2) *has_masks = 1;
  }
  burl_listing_free(&listing);
  return BURL_OK;
}

/* Marks the folders above the classes as read, so that links back to them are not followed. */
static burl_status start_walk(burl_walk *walk, burl_diag *diag) {
  static const char *const above[] = {"", "train", "test"};
  burl_status status = BURL_OK;
  for (int i = 0; status == BURL_OK && i < 3; i++) {
    int new_to_walk;
    char *path = burl_path_join(walk->root, above[i]);
    status =
        path ? burl_walk_mark(walk, path, &new_to_walk, diag) : burl_fail_memory(diag, walk->root);
    free(path);
  }
  return status;
}

static burl_status read_images(reading *read, burl_diag *diag) {
  static const burl_split splits[] = {BURL_SPLIT_TRAIN, BURL_SPLIT_TEST};
  burl_status status = BURL_OK;
  for (int i = 0; status == BURL_OK && i < 2; i++) {
    /* a walk for each split: the same folder may be linked into both, which is a leak worth seeing
     */
    burl_walk walk = {
        .root = read->root, .observer = read->set.observer, .context = read, .visit = take_image};
    status = start_walk(&walk, diag);
    if (status == BURL_OK) status = read_split(read, &walk, splits[i], diag);
    read->set.lost += walk.lost;
    burl_walk_free(&walk);
  }
  return status;
}

static burl_status read_masks(reading *read, burl_diag *diag) {
  burl_walk walk = {
      .root = read->root, .observer = read->set.observer, .context = read, .visit = take_mask};
  burl_status status = start_walk(&walk, diag);
  if (status == BURL_OK) status = burl_walk_below(&walk, "ground_truth", diag);
  burl_walk_free(&walk);
  return status;
}

static void report_unused(const reading *read) {
  const mask *first = NULL;
  size_t count = 0;
  for (size_t i = 0; i < read->mask_count; i++)
    if (!read->masks[i].used && count++ == 0) first = &read->masks[i];
  if (!first) return;
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, read->root,
            "The mask of test/CLASS/X.png is ground_truth/CLASS/X_mask.png.",
            "%zu of %zu masks belong to no defective test image (first: '%s')", count,
            read->mask_count, first->name);
  burl_observe_problem(read->set.observer, &problem);
}

burl_status burl_mvtec_load(burl_dataset **dataset, const char *path, const burl_observer *observer,
                            burl_diag *diag) {
  reading read = {.set = {.path = path, .observer = observer}, .root = path};
  int has_masks = 0;
  burl_status status = look_at_root(&has_masks, &read, diag);
  if (status == BURL_OK && has_masks) status = read_masks(&read, diag);
  if (status == BURL_OK) status = read_images(&read, diag);
  if (status == BURL_OK) report_unused(&read);
  if (status == BURL_OK && read.set.count == 0)
    status = burl_fail(diag, BURL_ERR_DATA, path, "Put PNG or JPEG images there.",
                       "has the folders of the MVTec layout, but no image in train/good or "
                       "test/CLASS");
  if (status == BURL_OK) status = burl_item_set_finish(dataset, &read.set, BURL_LAYOUT_MVTEC, diag);
  burl_item_set_free(&read.set);
  burl_text_map_free(&read.by_stem);
  burl_texts_free(&read.texts);
  free(read.masks);
  return status;
}
