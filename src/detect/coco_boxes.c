/* COCO annotations. Images are sorted once by number, to give annotations their image, and once by
 * name, to be found. */
#include <burl/detect_truth.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct box_image {
  json_int_t id;
  char *name;
  size_t first, count; /* of its boxes */
} box_image;

struct burl_box_set {
  box_image *images; /* by name, once parsed */
  size_t image_count;
  burl_box *boxes;
};

typedef struct parser {
  burl_box_set *set;
  json_t *images, *annotations;
  const char *path;
  burl_diag *diag;
} parser;

static burl_status fail(const parser *p, const char *what, size_t i, const char *reason) {
  return burl_fail(p->diag, BURL_ERR_FORMAT, p->path,
                   "COCO annotations are {\"images\": [{\"id\", \"file_name\"}], \"annotations\": "
                   "[{\"image_id\", \"bbox\": [x, y, w, h]}]}.",
                   "%s %zu (from 0) %s", what, i, reason);
}

static int by_id(const void *a, const void *b) {
  const box_image *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

static int by_name(const void *a, const void *b) {
  const box_image *x = a, *y = b;
  return strcmp(x->name, y->name);
}

static burl_status read_images(parser *p) {
  burl_box_set *set = p->set;
  size_t count = json_array_size(p->images);
  set->images = burl_alloc_zero(count + 1, sizeof *set->images);
  if (!set->images) return burl_fail_memory(p->diag, p->path);
  for (size_t i = 0; i < count; i++) {
    const json_t *image = json_array_get(p->images, i);
    const json_t *id = json_object_get(image, "id");
    const char *name = json_string_value(json_object_get(image, "file_name"));
    if (!json_is_integer(id) || !name || !*name)
      return fail(p, "image", i, "has no whole number as id, or no file_name");
    set->images[i].id = json_integer_value(id);
    if (!(set->images[i].name = burl_copy_text(name))) return burl_fail_memory(p->diag, p->path);
    set->image_count++;
  }
  qsort(set->images, count, sizeof *set->images, by_id);
  for (size_t i = 1; i < count; i++)
    if (set->images[i].id == set->images[i - 1].id)
      return burl_fail(p->diag, BURL_ERR_FORMAT, p->path, NULL, "two images have the id %lld",
                       (long long)set->images[i].id);
  return BURL_OK;
}

static box_image *find_image(const burl_box_set *set, const json_t *annotation) {
  const json_t *id = json_object_get(annotation, "image_id");
  box_image key = {.id = json_integer_value(id)};
  if (!json_is_integer(id) || set->image_count == 0) return NULL;
  return bsearch(&key, set->images, set->image_count, sizeof key, by_id);
}

static int is_crowd(const json_t *annotation) {
  const json_t *crowd = json_object_get(annotation, "iscrowd");
  return json_is_true(crowd) || json_integer_value(crowd) != 0;
}

static int read_box(burl_box *box, const json_t *annotation) {
  const json_t *values = json_object_get(annotation, "bbox");
  double v[4];
  if (json_array_size(values) != 4) return 0;
  for (size_t i = 0; i < 4; i++) {
    const json_t *value = json_array_get(values, i);
    v[i] = json_number_value(value);
    if (!json_is_number(value) || !(fabs(v[i]) <= 1e9)) return 0;
  }
  if (!(v[2] >= 0 && v[3] >= 0)) return 0;
  *box = (burl_box){(float)v[0], (float)v[1], (float)(v[0] + v[2]), (float)(v[1] + v[3])};
  return 1;
}

/* Counts the boxes of each image, then puts each to its image's. */
static burl_status read_annotations(parser *p) {
  burl_box_set *set = p->set;
  size_t count = json_array_size(p->annotations), first = 0;
  set->boxes = burl_alloc(count + 1, sizeof *set->boxes);
  if (!set->boxes) return burl_fail_memory(p->diag, p->path);
  for (size_t i = 0; i < count; i++) {
    const json_t *annotation = json_array_get(p->annotations, i);
    box_image *image = find_image(set, annotation);
    burl_box box;
    if (!image) return fail(p, "annotation", i, "has an image_id that no image has");
    if (!is_crowd(annotation) && !read_box(&box, annotation))
      return fail(p, "annotation", i, "has no bbox of four numbers with sides of 0 or more");
    image->count += !is_crowd(annotation);
  }
  for (size_t i = 0; i < set->image_count; i++) {
    set->images[i].first = first;
    first += set->images[i].count;
    set->images[i].count = 0;
  }
  for (size_t i = 0; i < count; i++) {
    const json_t *annotation = json_array_get(p->annotations, i);
    box_image *image = find_image(set, annotation);
    if (is_crowd(annotation)) continue;
    read_box(&set->boxes[image->first + image->count], annotation);
    image->count++;
  }
  return BURL_OK;
}

static burl_status sort_names(const parser *p) {
  burl_box_set *set = p->set;
  qsort(set->images, set->image_count, sizeof *set->images, by_name);
  for (size_t i = 1; i < set->image_count; i++)
    if (strcmp(set->images[i].name, set->images[i - 1].name) == 0)
      return burl_fail(p->diag, BURL_ERR_FORMAT, p->path, NULL, "two images are named \"%s\"",
                       set->images[i].name);
  return BURL_OK;
}

static burl_status read_root(parser *p, const json_t *root) {
  p->images = json_object_get(root, "images");
  p->annotations = json_object_get(root, "annotations");
  if (!json_is_array(p->images) || !json_is_array(p->annotations))
    return burl_fail(p->diag, BURL_ERR_FORMAT, p->path, NULL,
                     "holds no COCO annotations: the lists \"images\" and \"annotations\" are not "
                     "there");
  p->set = burl_alloc_zero(1, sizeof *p->set);
  if (!p->set) return burl_fail_memory(p->diag, p->path);
  burl_status status = read_images(p);
  if (status == BURL_OK) status = read_annotations(p);
  if (status == BURL_OK) status = sort_names(p);
  return status;
}

burl_status burl_box_set_parse(burl_box_set **self, const void *bytes, size_t size,
                               const char *name, burl_diag *diag) {
  parser p = {.path = name, .diag = diag};
  json_error_t error;
  if (size > BURL_TRUTH_BYTES)
    return burl_fail(diag, BURL_ERR_SIZE, name, NULL, "is larger than %zu MiB",
                     BURL_TRUTH_BYTES >> 20);
  json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
  if (!root && json_error_code(&error) == json_error_out_of_memory)
    return burl_fail_memory(diag, name);
  if (!root) {
    burl_status status =
        burl_fail(diag, BURL_ERR_FORMAT, name, NULL, "is not JSON: %s", error.text);
    if (diag) diag->line = error.line;
    return status;
  }
  burl_status status = read_root(&p, root);
  json_decref(root);
  if (status == BURL_OK)
    *self = p.set;
  else
    burl_box_set_free(p.set);
  return status;
}

burl_status burl_box_set_load(burl_box_set **self, const char *path, burl_diag *diag) {
  unsigned char *bytes;
  size_t size;
  burl_status status = burl_file_read(&bytes, &size, path, BURL_TRUTH_BYTES, diag);
  if (status != BURL_OK) return status;
  status = burl_box_set_parse(self, bytes, size, path, diag);
  free(bytes);
  return status;
}

void burl_box_set_free(burl_box_set *self) {
  if (!self) return;
  for (size_t i = 0; i < self->image_count; i++)
    free(self->images[i].name);
  free(self->images);
  free(self->boxes);
  free(self);
}

size_t burl_box_set_get_images(const burl_box_set *self) {
  return self->image_count;
}

const burl_box *burl_box_set_find(const burl_box_set *self, const char *file_name, size_t *count) {
  size_t low = 0, high = self->image_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(self->images[middle].name, file_name);
    if (order == 0) {
      *count = self->images[middle].count;
      return self->boxes + self->images[middle].first;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}
