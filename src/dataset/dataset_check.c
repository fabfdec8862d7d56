/* Opening everything once. Images are taken in blocks: the threads look at the items of a block,
 * then the calling thread goes through them in order, so that counts and problems do not depend on
 * the number of threads and no more than one image a thread is held. Of every image a short record
 * stays: its size and the XXH64 of its samples, from which equal images are found at the end by
 * sorting. */
#include "base/diag.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/xxh64.h"
#include "dataset/item_set.h"
#include "dataset/mask_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_SIDE ((size_t)32) /* below it nothing can be fitted or scored */
#define MASK_THRESHOLD 128
#define BLOCK_PER_THREAD ((size_t)4)
#define MOST_THREADS 256

typedef struct record {
  size_t item, height, width;
  uint64_t hash;
  uint8_t channels, bytes; /* of a sample; channels 0: the image could not be read */
} record;

/* What a thread saw of one item. */
typedef struct look {
  record image;
  burl_status image_status, mask_status;
  burl_diag image_diag, mask_diag;
  int constant;
  size_t mask_height, mask_width, mask_pixels;
  int mask_largest; /* largest value of the mask as 8 bits */
} look;

typedef struct checking {
  const burl_dataset *dataset;
  const burl_observer *observer;
  burl_dataset_summary sum;
  record *records;
  look *looks;
  size_t start; /* first item of the block */
} checking;

static void look_at_image(look *seen, const burl_item *item) {
  burl_image image;
  seen->image_status = burl_image_load(&image, item->path, &seen->image_diag);
  if (seen->image_status != BURL_OK) return;
  size_t pixel = image.channels * image.sample;
  size_t size = image.height * image.width * pixel;
  const unsigned char *data = image.data;
  seen->image.height = image.height;
  seen->image.width = image.width;
  seen->image.channels = (uint8_t)image.channels;
  seen->image.bytes = (uint8_t)image.sample;
  seen->image.hash = burl_xxh64(data, size, 0);
  seen->constant = memcmp(data, data + pixel, size - pixel) == 0; /* each pixel as the one before */
  burl_image_free(&image);
}

static void look_at_mask(look *seen, const burl_item *item) {
  burl_image mask;
  seen->mask_status = burl_image_load(&mask, item->mask, &seen->mask_diag);
  if (seen->mask_status != BURL_OK) return;
  uint8_t bytes[1024];
  size_t pixels = mask.height * mask.width;
  for (size_t start = 0; start < pixels; start += sizeof bytes) {
    size_t count = pixels - start < sizeof bytes ? pixels - start : sizeof bytes;
    burl_mask_get_bytes(bytes, &mask, start, count);
    for (size_t i = 0; i < count; i++) {
      seen->mask_pixels += bytes[i] >= MASK_THRESHOLD;
      if (bytes[i] > seen->mask_largest) seen->mask_largest = bytes[i];
    }
  }
  seen->mask_height = mask.height;
  seen->mask_width = mask.width;
  burl_image_free(&mask);
}

static burl_status look_at_item(void *context, size_t index, int worker) {
  checking *check = context;
  size_t i = check->start + index;
  const burl_item *item = &check->dataset->items[i];
  look *seen = &check->looks[index];
  (void)worker;
  memset(seen, 0, sizeof *seen);
  seen->image.item = i;
  look_at_image(seen, item);
  if (item->mask) look_at_mask(seen, item);
  int full = seen->image_status == BURL_ERR_MEMORY || seen->mask_status == BURL_ERR_MEMORY;
  return full ? BURL_ERR_MEMORY : BURL_OK;
}

static void report(const checking *check, const char *path, const char *hint, const char *reason) {
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, path, hint, "%s", reason);
  burl_observe_problem(check->observer, &problem);
}

static void count_split(burl_dataset_summary *sum, const burl_item *item) {
  if (item->split == BURL_SPLIT_TRAIN)
    sum->train_good++;
  else if (item->defective)
    sum->test_defective++;
  else
    sum->test_good++;
  sum->masks += item->mask != NULL;
}

static void count_sizes(burl_dataset_summary *sum, const record *image) {
  int first = sum->grey + sum->colour == 0;
  sum->grey += image->channels == 1;
  sum->colour += image->channels != 1;
  sum->sixteen_bit += image->bytes == 2;
  if (first || image->height < sum->min_height) sum->min_height = image->height;
  if (first || image->width < sum->min_width) sum->min_width = image->width;
  if (image->height > sum->max_height) sum->max_height = image->height;
  if (image->width > sum->max_width) sum->max_width = image->width;
}

static void merge_image(checking *check, const look *seen, const burl_item *item) {
  burl_dataset_summary *sum = &check->sum;
  if (seen->image_status != BURL_OK) {
    sum->unreadable++;
    burl_observe_problem(check->observer, &seen->image_diag);
    return;
  }
  count_sizes(sum, &seen->image);
  if (seen->image.height < SMALLEST_SIDE || seen->image.width < SMALLEST_SIDE) {
    char text[96];
    snprintf(text, sizeof text, "is %zux%zu pixels (width x height)", seen->image.width,
             seen->image.height);
    sum->too_small++;
    report(check, item->path, "Images are at least 32x32 pixels.", text);
  }
  if (seen->constant) {
    sum->constant++;
    report(check, item->path, NULL, "all its pixels have the same value");
  }
}

static void merge_mask(checking *check, const look *seen, const burl_item *item) {
  burl_dataset_summary *sum = &check->sum;
  char text[160];
  if (!item->mask) {
    if (!item->defective) return;
    sum->without_mask++;
    report(check, item->path, NULL, "is defective and has no mask");
  } else if (seen->mask_status != BURL_OK) {
    sum->unreadable++;
    burl_observe_problem(check->observer, &seen->mask_diag);
  } else {
    if (seen->mask_pixels == 0) {
      snprintf(text, sizeof text, "no pixel of the mask is at least %d (the largest is %d)",
               MASK_THRESHOLD, seen->mask_largest);
      sum->empty_masks++;
      report(check, item->mask, "Masks are 255 where there is a defect.", text);
    }
    if (seen->image_status == BURL_OK &&
        (seen->mask_height != seen->image.height || seen->mask_width != seen->image.width)) {
      snprintf(text, sizeof text, "the mask is %zux%zu pixels, its image %zux%zu (width x height)",
               seen->mask_width, seen->mask_height, seen->image.width, seen->image.height);
      sum->mask_mismatch++;
      report(check, item->mask, "A mask has the size of its image.", text);
    }
  }
}

/* The order of everything but the item: 0 for equal images. */
static int compare_images(const record *a, const record *b) {
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  if (a->height != b->height) return a->height < b->height ? -1 : 1;
  if (a->width != b->width) return a->width < b->width ? -1 : 1;
  if (a->channels != b->channels) return a->channels < b->channels ? -1 : 1;
  return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

static int by_image_and_item(const void *a, const void *b) {
  const record *first = a, *second = b;
  int order = compare_images(first, second);
  return order ? order : first->item < second->item ? -1 : first->item > second->item;
}

/* first[i] becomes the item that item i equals, i itself where it is the first. */
static void find_first(size_t *first, record *records, size_t count) {
  for (size_t i = 0; i < count; i++)
    first[i] = i;
  qsort(records, count, sizeof *records, by_image_and_item);
  for (size_t i = 1, start = 0; i < count; i++) {
    int equal = records[i].channels && compare_images(&records[start], &records[i]) == 0;
    if (equal)
      first[records[i].item] = records[start].item;
    else
      start = i;
  }
}

static burl_status find_duplicates(checking *check) {
  const burl_dataset *dataset = check->dataset;
  size_t *first = burl_alloc(dataset->count, sizeof *first);
  if (!first) return BURL_ERR_MEMORY;
  find_first(first, check->records, dataset->count);
  for (size_t i = 0; i < dataset->count; i++) {
    if (first[i] == i) continue;
    const burl_item *item = &dataset->items[i], *equal = &dataset->items[first[i]];
    int leaked = item->split == BURL_SPLIT_TEST && equal->split == BURL_SPLIT_TRAIN;
    check->sum.duplicates++;
    check->sum.leaked += (size_t)leaked;
    burl_diag problem;
    burl_fail(&problem, BURL_ERR_DATA, item->path,
              leaked ? "Test images must not be trained on: figures would be too good." : NULL,
              leaked ? "has the same pixels as the training image '%s'"
                     : "has the same pixels as '%s'",
              equal->name);
    burl_observe_problem(check->observer, &problem);
  }
  free(first);
  return BURL_OK;
}

static burl_status look_at_block(checking *check, size_t count, int threads) {
  burl_status status = burl_parallel(count, threads, look_at_item, check);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < count; i++) {
    const burl_item *item = &check->dataset->items[check->start + i];
    count_split(&check->sum, item);
    merge_image(check, &check->looks[i], item);
    merge_mask(check, &check->looks[i], item);
    check->records[check->start + i] = check->looks[i].image;
  }
  check->start += count;
  burl_observe_progress(check->observer, "check", check->start, check->dataset->count);
  return BURL_OK;
}

burl_status burl_dataset_check(burl_dataset_summary *summary, const burl_dataset *dataset,
                               int threads, const burl_observer *observer, burl_diag *diag) {
  if (threads < 1)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Use at least one.", "%d threads are asked for",
                     threads);
  size_t count = dataset->count;
  size_t block = BLOCK_PER_THREAD * (size_t)(threads < MOST_THREADS ? threads : MOST_THREADS);
  checking check = {.dataset = dataset,
                    .observer = observer,
                    .records = burl_alloc(count, sizeof *check.records),
                    .looks = burl_alloc(block, sizeof *check.looks)};
  burl_status status = check.records && check.looks ? BURL_OK : BURL_ERR_MEMORY;
  while (status == BURL_OK && check.start < count) {
    size_t rest = count - check.start;
    status = look_at_block(&check, rest < block ? rest : block, threads);
  }
  if (status == BURL_OK) status = find_duplicates(&check);
  free(check.records);
  free(check.looks);
  if (status != BURL_OK) return burl_fail_memory(diag, NULL); /* nothing else stops the check */
  *summary = check.sum;
  return BURL_OK;
}
