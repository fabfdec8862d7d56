/* Evidence into a file. */
#include "evaluate/evidence_parts.h"
#include "evaluate/evidence_tensors.h"

#include "base/diag.h"
#include "base/memory.h"
#include "base/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is written in another form than it is kept; alive until the file is. */
typedef struct packed {
  char *texts; /* name, label and group of each image, each with its zero */
  size_t size;
  float *scores;
  uint8_t *flags;
} packed;

static void free_packed(packed *p) {
  free(p->texts);
  free(p->scores);
  free(p->flags);
}

/* The texts of an image lie one after the other. */
static size_t texts_size(const burl_evidence_image *image) {
  return (size_t)(image->group - image->name) + strlen(image->group) + 1;
}

static burl_status pack(packed *p, const burl_evidence *e) {
  for (size_t i = 0; i < e->count; i++)
    p->size += texts_size(&e->images[i]);
  p->texts = burl_alloc(p->size, 1);
  p->scores = burl_alloc(e->count, sizeof *p->scores);
  p->flags = burl_alloc(e->count, 1);
  if (!p->texts || !p->scores || !p->flags) return BURL_ERR_MEMORY;
  char *to = p->texts;
  for (size_t i = 0; i < e->count; i++) {
    const burl_evidence_image *image = &e->images[i];
    memcpy(to, image->name, texts_size(image));
    to += texts_size(image);
    p->scores[i] = image->score;
    p->flags[i] = (uint8_t)((image->defective ? BURL_EVIDENCE_DEFECTIVE : 0) |
                            (image->with_truth ? BURL_EVIDENCE_WITH_TRUTH : 0));
  }
  return BURL_OK;
}

static void add_metadata(burl_safetensors_writer *writer) {
  char keys[1024];
  size_t used = 0;
  for (int i = 0; i < BURL_MEASURE_COUNT; i++)
    used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", i ? " " : "",
                             burl_measure_get_key((burl_measure)i));
  burl_safetensors_writer_add_metadata(writer, "burl.format", BURL_EVIDENCE_FORMAT);
  burl_safetensors_writer_add_metadata(writer, "burl.measures", keys);
}

static void add_rows(burl_safetensors_writer *writer, const burl_evidence *e) {
  static const char *const names[BURL_ROW_KINDS] = BURL_EVIDENCE_ROW_NAMES;
  for (int k = 0; k < BURL_ROW_KINDS; k++) {
    const burl_rows *rows = &e->rows[k];
    char name[64];
    snprintf(name, sizeof name, "pixel.%s.start", names[k]);
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_U32, (size_t[]){e->row_count + 1},
                                       1, rows->start);
    snprintf(name, sizeof name, "pixel.%s.bin", names[k]);
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_U16, &rows->count, 1, rows->bin);
    snprintf(name, sizeof name, "pixel.%s.value", names[k]);
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &rows->count, 1, rows->value);
  }
}

burl_status burl_evidence_save(const burl_evidence *self, const char *path, burl_diag *diag) {
  packed p = {0};
  burl_safetensors_writer *writer = NULL;
  burl_status status = pack(&p, self);
  if (status == BURL_OK) status = burl_safetensors_writer_new(&writer);
  if (status != BURL_OK) {
    free_packed(&p);
    return burl_fail_memory(diag, path);
  }
  const size_t n = self->count, measures = BURL_MEASURE_COUNT;
  const uint32_t bins = (uint32_t)self->bins;
  add_metadata(writer);
  burl_safetensors_writer_add_tensor(writer, "image.texts", BURL_DTYPE_U8, &p.size, 1, p.texts);
  burl_safetensors_writer_add_tensor(writer, "image.scores", BURL_DTYPE_F32, &n, 1, p.scores);
  burl_safetensors_writer_add_tensor(writer, "image.flags", BURL_DTYPE_U8, &n, 1, p.flags);
  burl_safetensors_writer_add_tensor(writer, "threshold", BURL_DTYPE_F64, NULL, 0,
                                     &self->threshold);
  burl_safetensors_writer_add_tensor(writer, "measures", BURL_DTYPE_F64, &measures, 1,
                                     self->values);
  burl_safetensors_writer_add_tensor(writer, "pixel.bins", BURL_DTYPE_U32, NULL, 0, &bins);
  if (bins > 0) {
    burl_safetensors_writer_add_tensor(writer, "pixel.totals", BURL_DTYPE_U32,
                                       (size_t[]){self->row_count, BURL_EVIDENCE_TOTALS}, 2,
                                       self->totals);
    add_rows(writer, self);
  }
  burl_safetensors_writer_add_checksum(writer);
  status = burl_safetensors_writer_save(writer, path, diag);
  burl_safetensors_writer_free(writer);
  free_packed(&p);
  return status;
}
