/* Entries are appended until twice the capacity is full, then the half with the larger keys is
 * dropped. */
#include "model/sample.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

burl_status burl_sample_open(patch_sample *sample, size_t capacity, size_t width) {
  *sample = (patch_sample){.capacity = capacity, .width = width, .limit = UINT64_MAX};
  size_t values;
  if (!burl_size_mul(&values, 2 * capacity, width)) return BURL_ERR_SIZE;
  sample->entries = burl_alloc(2 * capacity, sizeof *sample->entries);
  sample->values = burl_alloc(values, sizeof *sample->values);
  if (sample->entries && sample->values) return BURL_OK;
  burl_sample_close(sample);
  return BURL_ERR_MEMORY;
}

void burl_sample_close(patch_sample *sample) {
  free(sample->entries);
  free(sample->values);
  *sample = (patch_sample){0};
}

static int by_key(const void *left, const void *right) {
  const sample_entry *a = left, *b = right;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return (a->image > b->image) - (a->image < b->image);
}

/* After sorting, entry i's values may lie in any slot; kept ones in the upper half move down. */
static void drop_larger(patch_sample *sample) {
  qsort(sample->entries, sample->count, sizeof *sample->entries, by_key);
  if (sample->count <= sample->capacity) return;
  size_t keep = sample->capacity, hole = keep;
  for (size_t i = 0; i < keep; i++) {
    sample_entry *entry = &sample->entries[i];
    if (entry->slot < keep) continue;
    while (sample->entries[hole].slot >= keep)
      hole++;
    uint32_t free_slot = sample->entries[hole++].slot;
    memcpy(sample->values + free_slot * sample->width, sample->values + entry->slot * sample->width,
           sample->width * sizeof *sample->values);
    entry->slot = free_slot;
  }
  sample->count = keep;
  sample->limit = sample->entries[keep - 1].key;
}

sample_entry *burl_sample_offer(patch_sample *sample, uint64_t key, uint32_t image,
                                const float *values) {
  if (key > sample->limit) return NULL;
  if (sample->count == 2 * sample->capacity) drop_larger(sample);
  if (key > sample->limit) return NULL;
  size_t slot = sample->count++;
  sample->entries[slot] = (sample_entry){.key = key, .image = image, .slot = (uint32_t)slot};
  memcpy(sample->values + slot * sample->width, values, sample->width * sizeof *values);
  return &sample->entries[slot];
}

void burl_sample_finish(patch_sample *sample) {
  drop_larger(sample);
}
