/* A gallery in memory and in a model file. Names lie in one tensor of bytes, for a name need not be
 * text that JSON can hold. */
#include "model/exemplar.h"

#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_TENSOR "gallery.names"

void burl_gallery_free(struct burl_gallery *self) {
  if (!self) return;
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    free(self->member[m].place);
    free(self->member[m].distance);
    free(self->member[m].pixels);
  }
  free(self->names);
  free(self->name);
  free(self);
}

burl_status burl_exemplars_open(member_exemplars *self, size_t count, size_t thumb) {
  self->count = count;
  self->thumb = thumb;
  self->place = burl_alloc_zero(count, PLACE_PARTS * sizeof *self->place);
  self->distance = burl_alloc_zero(count, sizeof *self->distance);
  self->pixels = burl_alloc_zero(count, thumb * thumb);
  return self->place && self->distance && self->pixels ? BURL_OK : BURL_ERR_MEMORY;
}

burl_status burl_gallery_index(struct burl_gallery *self) {
  if (self->names_size == 0 || self->names[self->names_size - 1] != '\0') return BURL_ERR_FORMAT;
  self->images = 0;
  for (size_t i = 0; i < self->names_size; i++)
    self->images += self->names[i] == '\0';
  self->name = burl_alloc(self->images, sizeof *self->name);
  if (!self->name) return BURL_ERR_MEMORY;
  const char *at = self->names;
  for (size_t i = 0; i < self->images; i++, at += strlen(at) + 1)
    self->name[i] = at;
  return BURL_OK;
}

static void tensor_name(char name[96], const burl_model *model, size_t m, const char *part) {
  burl_model_member member;
  burl_model_get_member(model, m, &member);
  snprintf(name, 96, "gallery.%s.%s", member.name, part);
}

burl_status burl_gallery_save(const burl_model *model, burl_safetensors_writer *writer) {
  const struct burl_gallery *self = model->gallery;
  char name[96];
  burl_status status = burl_safetensors_writer_add_tensor(writer, NAMES_TENSOR, BURL_DTYPE_U8,
                                                          &self->names_size, 1, self->names);
  for (size_t m = 0; m < MODEL_MEMBERS && status == BURL_OK; m++) {
    const member_exemplars *e = &self->member[m];
    if (e->count == 0) continue;
    tensor_name(name, model, m, "place");
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_U32,
                                       (size_t[]){e->count, PLACE_PARTS}, 2, e->place);
    tensor_name(name, model, m, "distance");
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &e->count, 1, e->distance);
    tensor_name(name, model, m, "thumbs");
    status = burl_safetensors_writer_add_tensor(
        writer, name, BURL_DTYPE_U8, (size_t[]){e->count, e->thumb, e->thumb}, 3, e->pixels);
  }
  return status;
}

static burl_status malformed(burl_diag *diag, const char *name, const char *what) {
  return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.", "tensor %s %s", name, what);
}

/* A tensor of this type whose first dimension is K. */
static const burl_tensor *find(const burl_safetensors *file, const char *name, burl_dtype dtype,
                               size_t rank, size_t count, burl_diag *diag) {
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (tensor && tensor->dtype == dtype && tensor->rank == rank && tensor->shape[0] == count)
    return tensor;
  malformed(diag, name, "is missing or has a wrong shape");
  return NULL;
}

static int places_are_sound(const struct burl_gallery *self, const member_exemplars *e) {
  for (size_t k = 0; k < e->count; k++) {
    const uint32_t *place = e->place + PLACE_PARTS * k;
    if (place[PLACE_IMAGE] >= self->images || place[PLACE_Y] >= BURL_IMAGE_MAX_SIDE ||
        place[PLACE_X] >= BURL_IMAGE_MAX_SIDE || place[PLACE_SIDE] < 1 ||
        place[PLACE_SIDE] > BURL_IMAGE_MAX_SIDE || !(e->distance[k] >= 0.0f))
      return 0;
  }
  return 1;
}

static burl_status load_member(const burl_model *model, struct burl_gallery *self, size_t m,
                               const burl_safetensors *file, burl_diag *diag) {
  member_exemplars *e = &self->member[m];
  size_t k = burl_bank_get_count(model->bank[m]);
  char name[96];
  const float *distance;
  tensor_name(name, model, m, "thumbs");
  const burl_tensor *thumbs = find(file, name, BURL_DTYPE_U8, 3, k, diag);
  if (!thumbs) return BURL_ERR_FORMAT;
  size_t side = thumbs->shape[1];
  if (side < 1 || side > BURL_EXEMPLAR_SIDE || thumbs->shape[2] != side)
    return malformed(diag, name, "holds pictures that are no squares of 1 to 32 pixels");
  tensor_name(name, model, m, "distance");
  burl_status status = burl_safetensors_get_floats(file, &distance, name, &k, 1, diag);
  if (status != BURL_OK) return status;
  tensor_name(name, model, m, "place");
  const burl_tensor *place = find(file, name, BURL_DTYPE_U32, 2, k, diag);
  if (!place) return BURL_ERR_FORMAT;
  if (place->shape[1] != PLACE_PARTS) return malformed(diag, name, "has a wrong shape");
  if (burl_exemplars_open(e, k, side) != BURL_OK) return burl_fail_memory(diag, NULL);
  memcpy(e->place, place->data, place->size);
  memcpy(e->distance, distance, k * sizeof *distance);
  memcpy(e->pixels, thumbs->data, thumbs->size);
  if (places_are_sound(self, e)) return BURL_OK;
  return malformed(diag, name, "names an image, a pixel or a distance that cannot be");
}

burl_status burl_gallery_load(burl_model *model, const burl_safetensors *file, burl_diag *diag) {
  const burl_tensor *names = burl_safetensors_find(file, NAMES_TENSOR);
  if (!names) return BURL_OK;
  if (names->dtype != BURL_DTYPE_U8 || names->rank != 1)
    return malformed(diag, NAMES_TENSOR, "has a wrong type or shape");
  struct burl_gallery *made = model->gallery = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, NULL);
  made->names = burl_copy(names->data, names->size);
  made->names_size = names->size;
  if (!made->names) return burl_fail_memory(diag, NULL);
  burl_status status = burl_gallery_index(made);
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(diag, NULL);
  if (status != BURL_OK) return malformed(diag, NAMES_TENSOR, "does not end with a NUL");
  model->options.gallery = 1;
  for (size_t m = 0; m < burl_member_count(model->encoder) && status == BURL_OK; m++)
    if (model->bank[m]) status = load_member(model, made, m, file, diag);
  return status;
}

size_t burl_model_get_member_count(const burl_model *model) {
  return burl_member_count(model->encoder);
}

void burl_model_get_member(const burl_model *model, size_t member, burl_model_member *info) {
  burl_group group = model->encoder->ops->get_group(model->encoder, burl_member_group(member));
  const burl_bank *bank = model->bank[member];
  *info = (burl_model_member){.local = burl_member_is_local(member),
                              .stride = group.stride,
                              .field = group.field,
                              .prototypes = bank ? burl_bank_get_count(bank) : 0,
                              .mass = bank ? burl_bank_get_mass(bank) : NULL,
                              .radius = bank ? burl_bank_get_radius(bank) : NULL};
  snprintf(info->name, sizeof info->name, "%s%s", group.name, info->local ? ".local" : "");
}

int burl_model_has_gallery(const burl_model *model) {
  return model->gallery != NULL;
}

void burl_model_get_exemplar(const burl_model *model, size_t member, size_t k,
                             burl_exemplar *exemplar) {
  const struct burl_gallery *self = model->gallery;
  const member_exemplars *e = &self->member[member];
  const uint32_t *place = e->place + PLACE_PARTS * k;
  *exemplar = (burl_exemplar){.image = self->name[place[PLACE_IMAGE]],
                              .y = place[PLACE_Y],
                              .x = place[PLACE_X],
                              .side = place[PLACE_SIDE],
                              .distance = (double)e->distance[k],
                              .thumb = e->thumb,
                              .pixels = e->pixels + k * e->thumb * e->thumb};
}
