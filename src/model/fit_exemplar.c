/* Exemplars of a fit: of every prototype the patch of the sample that is nearest to it.
 *
 * The sample that banks are learned from is bounded, and it knows where its patches lie. So the
 * search is in memory, with the prototypes as the points that look for their nearest; then every
 * image that holds an exemplar is read once more, and only squares of it are kept. The distance is
 * the root of the mixed squared cost, whatever the method. Patches that taught nothing are not in
 * the sample, hence no exemplars. Of patches at equal distance the first in the sample is taken,
 * which does not depend on threads. */
#include "model/fit_parts.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "image/crop.h"
#include "model/exemplar.h"
#include "num/nearest.h"
#include "prototype/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 }; /* patches that are looked through at a time */

/* Where a picture is to go. */
typedef struct wanted {
  uint32_t image; /* of the training images */
  uint32_t member, k;
} wanted;

typedef struct search {
  fit *fit;
  struct burl_gallery *gallery;
  wanted *list; /* (count), by image, member and prototype */
  size_t count;
  size_t *first;   /* (gallery->images + 1) where the list of each image begins */
  burl_diag *diag; /* (gallery->images) */
  size_t done;
} search;

/* Joint points (n, joint->dim) of entries first..first+n-1 of a sample. */
static void join_sample(float *points, const burl_joint *joint, const patch_sample *sample,
                        size_t first, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const float *values = sample->values + sample->entries[first + i].slot * sample->width;
    burl_joint_points(joint, points + i * joint->dim, values, values + joint->d, 1);
  }
}

/* Working memory of a search: BLOCK patches at a time. */
typedef struct finder {
  burl_arena arena;
  float *points, *packed, *prototypes, *squared;
  uint32_t *nearest;
} finder;

static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(finder *f, size_t k, size_t n, size_t dim) {
  f->points = request(&f->arena, n * dim, sizeof *f->points);
  f->packed = request(&f->arena, burl_points_packed_size(n, dim), sizeof *f->packed);
  f->prototypes = request(&f->arena, k * dim, sizeof *f->prototypes);
  f->squared = request(&f->arena, k, sizeof *f->squared);
  f->nearest = request(&f->arena, k, sizeof *f->nearest);
}

/* nearest (K) and squared (K): of each prototype of the bank among the patches of the sample. */
static burl_status search_sample(uint32_t *nearest, float *squared, const burl_bank *bank,
                                 const burl_joint *joint, const patch_sample *sample) {
  size_t k = burl_bank_get_count(bank), dim = joint->dim;
  size_t block = sample->count < BLOCK ? sample->count : BLOCK;
  finder f = {0};
  lay_out(&f, k, block, dim);
  if (!burl_arena_open(&f.arena)) return BURL_ERR_MEMORY;
  lay_out(&f, k, block, dim);
  burl_joint_points(joint, f.prototypes, burl_bank_get_prototypes(bank),
                    burl_bank_get_positions(bank), k);
  for (size_t first = 0; first < sample->count; first += block) {
    size_t n = sample->count - first < block ? sample->count - first : block;
    join_sample(f.points, joint, sample, first, n);
    burl_points_pack(f.packed, f.points, n, dim);
    burl_points_nearest(f.squared, f.nearest, f.prototypes, k, f.packed, n, dim);
    for (size_t i = 0; i < k; i++)
      if (first == 0 || f.squared[i] < squared[i]) {
        squared[i] = f.squared[i];
        nearest[i] = (uint32_t)first + f.nearest[i];
      }
  }
  burl_arena_close(&f.arena);
  return BURL_OK;
}

/* place[PLACE_IMAGE] is the training image's number until names are known. */
static burl_status find_member(void *context, size_t m, int worker) {
  search *s = context;
  const fit *f = s->fit;
  const burl_bank *bank = f->model->bank[m];
  (void)worker;
  if (!bank) return BURL_OK;
  member_exemplars *e = &s->gallery->member[m];
  const burl_encoder *encoder = f->model->encoder;
  burl_group group = encoder->ops->get_group(encoder, burl_member_group(m));
  const patch_sample *sample = &f->sample[burl_member_group(m)];
  size_t k = burl_bank_get_count(bank), thumb = group.field;
  if (thumb > BURL_EXEMPLAR_SIDE) thumb = BURL_EXEMPLAR_SIDE;
  burl_joint joint =
      burl_joint_of(group.dim, burl_bank_get_spatial(bank), f->model->options.bank.spatial_weight);
  uint32_t *nearest = burl_alloc(k, sizeof *nearest);
  burl_status status = burl_exemplars_open(e, k, thumb);
  if (!nearest) status = BURL_ERR_MEMORY;
  if (status == BURL_OK) status = search_sample(nearest, e->distance, bank, &joint, sample);
  for (size_t i = 0; i < k && status == BURL_OK; i++) {
    const sample_entry *entry = &sample->entries[nearest[i]];
    uint32_t *place = e->place + PLACE_PARTS * i;
    e->distance[i] = joint.scale * sqrtf(e->distance[i]);
    place[PLACE_IMAGE] = entry->image;
    place[PLACE_Y] = entry->y;
    place[PLACE_X] = entry->x;
    place[PLACE_SIDE] = (uint32_t)group.field;
  }
  free(nearest);
  return status;
}

static int by_image(const void *left, const void *right) {
  const wanted *a = left, *b = right;
  if (a->image != b->image) return a->image < b->image ? -1 : 1;
  if (a->member != b->member) return a->member < b->member ? -1 : 1;
  return (a->k > b->k) - (a->k < b->k);
}

/* Lists what is wanted of each image; from then on places count the images of the gallery. */
static burl_status list_wanted(search *s) {
  struct burl_gallery *gallery = s->gallery;
  size_t total = 0;
  for (size_t m = 0; m < MODEL_MEMBERS; m++)
    total += gallery->member[m].count;
  s->list = burl_alloc(total, sizeof *s->list);
  s->first = burl_alloc(total + 1, sizeof *s->first);
  if (!s->list || !s->first) return BURL_ERR_MEMORY;
  for (size_t m = 0; m < MODEL_MEMBERS; m++)
    for (size_t k = 0; k < gallery->member[m].count; k++)
      s->list[s->count++] = (wanted){gallery->member[m].place[PLACE_PARTS * k + PLACE_IMAGE],
                                     (uint32_t)m, (uint32_t)k};
  qsort(s->list, s->count, sizeof *s->list, by_image);
  for (size_t i = 0; i < s->count; i++) {
    const wanted *w = &s->list[i];
    if (i == 0 || w->image != s->list[i - 1].image) s->first[gallery->images++] = i;
    gallery->member[w->member].place[PLACE_PARTS * w->k + PLACE_IMAGE] =
        (uint32_t)(gallery->images - 1);
  }
  s->first[gallery->images] = s->count;
  return BURL_OK;
}

static const burl_item *item_of(const search *s, size_t image) {
  const training *data = &s->fit->data;
  return burl_dataset_get_item(data->dataset, data->item[s->list[s->first[image]].image]);
}

static burl_status name_images(search *s) {
  struct burl_gallery *gallery = s->gallery;
  for (size_t i = 0; i < gallery->images; i++)
    gallery->names_size += strlen(item_of(s, i)->name) + 1;
  char *at = gallery->names = burl_alloc(gallery->names_size, 1);
  if (!at) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < gallery->images; i++, at += strlen(at) + 1)
    strcpy(at, item_of(s, i)->name);
  return burl_gallery_index(gallery);
}

static burl_status cut(search *s, const wanted *w, const burl_image *image) {
  member_exemplars *e = &s->gallery->member[w->member];
  uint32_t *place = e->place + PLACE_PARTS * w->k;
  size_t y = place[PLACE_Y], x = place[PLACE_X];
  if (y >= image->height || x >= image->width || image->height < BURL_MIN_SIDE ||
      image->width < BURL_MIN_SIDE)
    return BURL_ERR_DATA;
  burl_image small;
  burl_status status = burl_image_crop_small(&small, image, y, x, place[PLACE_SIDE], e->thumb);
  if (status != BURL_OK) return status;
  size_t bytes = e->thumb * e->thumb;
  memcpy(e->pixels + w->k * bytes, small.data, bytes);
  place[PLACE_SIDE] =
      (uint32_t)burl_rect_around(image->height, image->width, y, x, place[PLACE_SIDE]).height;
  burl_image_free(&small);
  return BURL_OK;
}

static burl_status cut_image(void *context, size_t index, int worker) {
  search *s = context;
  fit *f = s->fit;
  const burl_item *item = item_of(s, index);
  burl_image image = {0};
  (void)worker;
  burl_status status = burl_image_load(&image, item->path, &s->diag[index]);
  for (size_t i = s->first[index]; i < s->first[index + 1] && status == BURL_OK; i++)
    if ((status = cut(s, &s->list[i], &image)) != BURL_OK)
      burl_fail(&s->diag[index], status, item->path, NULL, "%s",
                status == BURL_ERR_DATA ? "is smaller than when it was first read"
                                        : burl_status_get_text(status));
  burl_image_free(&image);
  pthread_mutex_lock(&f->lock);
  burl_observe_progress(f->data.observer, "keeping examples", ++s->done, s->gallery->images);
  pthread_mutex_unlock(&f->lock);
  return status;
}

static burl_status run(search *s) {
  fit *f = s->fit;
  size_t members = burl_member_count(f->model->encoder);
  burl_status status = burl_parallel(members, f->threads, find_member, s);
  if (status == BURL_OK) status = list_wanted(s);
  if (status == BURL_OK) status = name_images(s);
  if (status != BURL_OK)
    return burl_fail(f->data.diag, status, NULL, NULL, "examples cannot be found: %s",
                     burl_status_get_text(status));
  s->diag = burl_alloc_zero(s->gallery->images, sizeof *s->diag);
  if (!s->diag) return burl_fail_memory(f->data.diag, NULL);
  status = burl_parallel(s->gallery->images, f->data.threads, cut_image, s);
  if (status == BURL_OK) return BURL_OK;
  burl_fail(f->data.diag, status, NULL, NULL, "%s", burl_status_get_text(status));
  for (size_t i = s->gallery->images; i-- > 0;)
    if (s->diag[i].status == status && f->data.diag) *f->data.diag = s->diag[i];
  return status;
}

burl_status burl_fit_find_exemplars(fit *f) {
  search s = {.fit = f, .gallery = burl_alloc_zero(1, sizeof *s.gallery)};
  if (!s.gallery) return burl_fail_memory(f->data.diag, NULL);
  burl_status status = run(&s);
  free(s.list);
  free(s.first);
  free(s.diag);
  if (status == BURL_OK)
    f->model->gallery = s.gallery;
  else
    burl_gallery_free(s.gallery);
  return status;
}
