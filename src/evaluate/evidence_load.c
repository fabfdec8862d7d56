/* Evidence from a file. Nothing of it is believed before it was looked at. */
#include "evaluate/evidence_file.h"
#include "evaluate/evidence_parts.h"
#include "evaluate/evidence_tensors.h"

#include "base/diag.h"
#include "base/memory.h"
#include "base/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reading {
  const burl_safetensors *file;
  const char *path;
  burl_diag *diag;
} reading;

static burl_status refuse(const reading *r, const char *name, const char *what) {
  return burl_fail(r->diag, BURL_ERR_FORMAT, r->path,
                   "Evaluate again: burl eval writes evidence.safetensors.", "the tensor '%s' %s",
                   name, what);
}

/* A tensor of one dimension, or of none where count is 1 and `single`. */
static burl_status find(const burl_tensor **tensor, const reading *r, const char *name,
                        burl_dtype dtype, size_t rank) {
  const burl_tensor *found = burl_safetensors_find(r->file, name);
  if (!found) return refuse(r, name, "is missing");
  if (found->dtype != dtype) return refuse(r, name, "is of another type");
  if (found->rank != rank) return refuse(r, name, "has another number of dimensions");
  *tensor = found;
  return BURL_OK;
}

/* The end of a text that begins at `text` and ends before `end`, past its zero; NULL: none. */
static const char *skip_text(const char *text, const char *end) {
  const char *zero = text < end ? memchr(text, 0, (size_t)(end - text)) : NULL;
  return zero ? zero + 1 : NULL;
}

static burl_status read_images(burl_evidence *e, const reading *r) {
  const burl_tensor *texts = NULL, *scores = NULL, *flags = NULL;
  burl_status status = find(&texts, r, "image.texts", BURL_DTYPE_U8, 1);
  if (!status) status = find(&scores, r, "image.scores", BURL_DTYPE_F32, 1);
  if (!status) status = find(&flags, r, "image.flags", BURL_DTYPE_U8, 1);
  if (status != BURL_OK) return status;
  if (scores->count == 0 || scores->count != flags->count || scores->count > BURL_MOST_IMAGES)
    return refuse(r, "image.scores", "has a length that cannot be");
  const char *text = texts->data, *end = text + texts->count;
  for (size_t i = 0; i < scores->count; i++) {
    const char *label = skip_text(text, end), *group = label ? skip_text(label, end) : NULL;
    const char *next = group ? skip_text(group, end) : NULL;
    if (!next) return refuse(r, "image.texts", "ends before the last image");
    uint8_t bits = ((const uint8_t *)flags->data)[i];
    float score = ((const float *)scores->data)[i];
    if (bits > (BURL_EVIDENCE_DEFECTIVE | BURL_EVIDENCE_WITH_TRUTH))
      return refuse(r, "image.flags", "has a value that has no meaning");
    if (!isfinite(score)) return refuse(r, "image.scores", "has a value that is not finite");
    const burl_evidence_image image = {.name = text,
                                       .label = label,
                                       .group = group,
                                       .score = score,
                                       .defective = bits & BURL_EVIDENCE_DEFECTIVE,
                                       .with_truth = bits & BURL_EVIDENCE_WITH_TRUTH};
    status = burl_evidence_add(e, &image);
    if (status != BURL_OK) return burl_fail_memory(r->diag, r->path);
    e->row_count += image.with_truth != 0;
    text = next;
  }
  return text == end ? BURL_OK : refuse(r, "image.texts", "goes on after the last image");
}

/* Measures by their keys: files of other versions may have others. */
static burl_status read_measures(burl_evidence *e, const reading *r) {
  const burl_tensor *values = NULL;
  const char *keys = burl_safetensors_get_metadata(r->file, "burl.measures");
  burl_status status = find(&values, r, "measures", BURL_DTYPE_F64, 1);
  if (status != BURL_OK) return status;
  if (!keys) return refuse(r, "measures", "has no names (burl.measures)");
  for (size_t i = 0; i < values->count && *keys; i++) {
    size_t length = strcspn(keys, " ");
    for (int m = 0; m < BURL_MEASURE_COUNT; m++) {
      const char *key = burl_measure_get_key((burl_measure)m);
      if (strlen(key) == length && memcmp(key, keys, length) == 0)
        e->values[m] = ((const double *)values->data)[i];
    }
    keys += length + (keys[length] == ' ');
  }
  return BURL_OK;
}

static burl_status read_row_starts(burl_rows *rows, const burl_evidence *e, const reading *r,
                                   const char *name, const burl_tensor *start, size_t entries) {
  const uint32_t *starts = start->data;
  if (start->count != e->row_count + 1 || starts[0] != 0 || starts[e->row_count] != entries)
    return refuse(r, name, "has a length that cannot be");
  for (size_t i = 0; i < e->row_count; i++)
    if (starts[i] > starts[i + 1]) return refuse(r, name, "falls");
  rows->start = burl_copy(starts, start->size);
  return rows->start ? BURL_OK : burl_fail_memory(r->diag, r->path);
}

static burl_status read_rows(burl_evidence *e, const reading *r, int kind) {
  static const char *const names[BURL_ROW_KINDS] = BURL_EVIDENCE_ROW_NAMES;
  char starts[64], bins[64], values[64];
  const burl_tensor *start = NULL, *bin = NULL, *value = NULL;
  burl_rows *rows = &e->rows[kind];
  snprintf(starts, sizeof starts, "pixel.%s.start", names[kind]);
  snprintf(bins, sizeof bins, "pixel.%s.bin", names[kind]);
  snprintf(values, sizeof values, "pixel.%s.value", names[kind]);
  burl_status status = find(&start, r, starts, BURL_DTYPE_U32, 1);
  if (!status) status = find(&bin, r, bins, BURL_DTYPE_U16, 1);
  if (!status) status = find(&value, r, values, BURL_DTYPE_F32, 1);
  if (status != BURL_OK) return status;
  if (value->count != bin->count) return refuse(r, values, "has another length than its bins");
  for (size_t i = 0; i < bin->count; i++) {
    float number = ((const float *)value->data)[i];
    if (((const uint16_t *)bin->data)[i] >= e->bins) return refuse(r, bins, "names no bin");
    if (!(number >= 0 && number < 1e10f)) return refuse(r, values, "has a value that cannot be");
  }
  status = read_row_starts(rows, e, r, starts, start, bin->count);
  if (status != BURL_OK) return status;
  rows->bin = burl_copy(bin->data, bin->size);
  rows->value = burl_copy(value->data, value->size);
  rows->count = rows->room = bin->count;
  return rows->bin && rows->value ? BURL_OK : burl_fail_memory(r->diag, r->path);
}

static burl_status read_pixels(burl_evidence *e, const reading *r) {
  const burl_tensor *bins = NULL, *totals = NULL;
  burl_status status = find(&bins, r, "pixel.bins", BURL_DTYPE_U32, 0);
  if (status != BURL_OK) return status;
  e->bins = *(const uint32_t *)bins->data;
  if (e->bins > BURL_MOST_BINS || (e->bins > 0) != (e->row_count > 0))
    return refuse(r, "pixel.bins", "is a number that cannot be");
  if (e->bins == 0) return BURL_OK;
  status = find(&totals, r, "pixel.totals", BURL_DTYPE_U32, 2);
  if (status != BURL_OK) return status;
  if (totals->shape[0] != e->row_count || totals->shape[1] != BURL_EVIDENCE_TOTALS)
    return refuse(r, "pixel.totals", "has another shape");
  const uint32_t *numbers = totals->data;
  for (size_t i = 0; i < e->row_count; i++)
    if (numbers[BURL_EVIDENCE_TOTALS * i] == 0 && numbers[BURL_EVIDENCE_TOTALS * i + 1] == 0)
      return refuse(r, "pixel.totals", "has an image without pixels");
  e->totals = burl_copy(totals->data, totals->size);
  if (!e->totals) return burl_fail_memory(r->diag, r->path);
  for (int k = 0; status == BURL_OK && k < BURL_ROW_KINDS; k++)
    status = read_rows(e, r, k);
  return status;
}

static burl_status read_all(burl_evidence *e, const reading *r) {
  const char *format = burl_safetensors_get_metadata(r->file, "burl.format");
  const burl_tensor *threshold = NULL;
  if (!format || strcmp(format, BURL_EVIDENCE_FORMAT) != 0)
    return burl_fail(r->diag, BURL_ERR_VERSION, r->path,
                     "burl eval writes it as evidence.safetensors.",
                     "is no evidence that this version reads");
  burl_status status = find(&threshold, r, "threshold", BURL_DTYPE_F64, 0);
  if (status != BURL_OK) return status;
  e->threshold = *(const double *)threshold->data;
  if (!isfinite(e->threshold)) return refuse(r, "threshold", "is not finite");
  status = read_images(e, r);
  if (status == BURL_OK) status = read_measures(e, r);
  if (status == BURL_OK) status = read_pixels(e, r);
  return status;
}

static burl_status take_file(burl_evidence **self, const burl_safetensors *file, const char *path,
                             burl_diag *diag) {
  burl_evidence *made = NULL;
  const reading r = {.file = file, .path = path, .diag = diag};
  burl_status status = burl_evidence_new(&made, 1);
  if (status != BURL_OK) return burl_fail_memory(diag, path);
  status = read_all(made, &r);
  if (status == BURL_OK)
    *self = made;
  else
    burl_evidence_free(made);
  return status;
}

burl_status burl_evidence_parse(burl_evidence **self, const void *bytes, size_t size,
                                const char *name, burl_diag *diag) {
  burl_safetensors *file = NULL;
  burl_status status = burl_safetensors_parse(&file, bytes, size, name, diag);
  if (status == BURL_OK) status = take_file(self, file, name, diag);
  burl_safetensors_free(file);
  return status;
}

burl_status burl_evidence_load(burl_evidence **self, const char *path, burl_diag *diag) {
  burl_safetensors *file = NULL;
  burl_status status = burl_safetensors_load(&file, path, diag);
  if (status == BURL_OK) status = burl_safetensors_check_checksum(file, diag);
  if (status == BURL_OK) status = take_file(self, file, path, diag);
  burl_safetensors_free(file);
  return status;
}
