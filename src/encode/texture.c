/* The texture encoder: what makes a weave is learned from the good images themselves.
 *
 *   x <- 0.1 (x - mean)/deviation of the image's grey                       against changes of
 * light binomial pyramid of five levels; per level 12 PCA filters of 5 x 5      encode/pyramid,
 * filter_bank energies and means on grids of 4, 4, 4, 8, 16 pixels; a fine group
 * encode/texture_extract each group whitened encode/texture_learn
 *
 * Each group is an embedding of its own with prototypes of its own: one joint embedding of all
 * levels is far worse, since a fault shows on few of them. */
#include "encode/texture.h"

#include "base/diag.h"
#include "encode/texture_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TEXTURE_GROUPS] = {"level0", "level1", "level2",
                                                  "level3", "level4", "fine"};

static void texture_free(burl_encoder *self) {
  free(self);
}

static burl_group get_group(const burl_encoder *self, size_t group) {
  return (burl_group){.name = names[group],
                      .stride = burl_texture_stride[group],
                      .dim = burl_texture_dim(group),
                      .field = burl_texture_field(group),
                      .present = ((const burl_texture *)self)->group[group].present};
}

static void leave_out(burl_encoder *self, size_t group) {
  ((burl_texture *)self)->group[group].present = 0;
}

static void encode(const burl_encoder *self, burl_encoder_workspace *workspace,
                   const burl_view *view, burl_rect region, burl_feature_map *maps) {
  burl_texture_load_region(workspace, view, region);
  burl_texture_extract((const burl_texture *)self, workspace, view, region, 0, maps);
}

static void tensor_name(char name[64], size_t group, const char *part) {
  snprintf(name, 64, "texture.%s.%s", names[group], part);
}

static burl_status save(const burl_encoder *encoder, burl_safetensors_writer *writer) {
  const burl_texture *self = (const burl_texture *)encoder;
  burl_status status = BURL_OK;
  char name[64];
  for (size_t g = 0; g < TEXTURE_GROUPS && status == BURL_OK; g++) {
    const texture_group *group = &self->group[g];
    size_t d = burl_texture_dim(g);
    if (!group->present) continue;
    if (g < TEXTURE_LEVELS) {
      tensor_name(name, g, "filters");
      burl_safetensors_writer_add_tensor(
          writer, name, BURL_DTYPE_F32,
          (size_t[]){BURL_FILTER_COUNT, BURL_FILTER_SIDE, BURL_FILTER_SIDE}, 3, self->filters[g]);
    }
    tensor_name(name, g, "mean");
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &d, 1, group->mean);
    tensor_name(name, g, "whiten");
    status = burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, (size_t[]){d, d}, 2,
                                                group->whiten);
  }
  return status;
}

static const burl_encoder_ops texture_ops = {.name = "texture",
                                             .groups = TEXTURE_GROUPS,
                                             .passes = 2,
                                             .alignment = 16,
                                             .halo = 128,
                                             .free = texture_free,
                                             .get_group = get_group,
                                             .leave_out = leave_out,
                                             .workspace_new = burl_texture_workspace_new,
                                             .workspace_free = burl_texture_workspace_free,
                                             .count_statistics = burl_texture_count_statistics,
                                             .learn = burl_texture_learn,
                                             .learned = burl_texture_learned,
                                             .encode = encode,
                                             .save = save};

burl_status burl_texture_new(burl_encoder **encoder) {
  burl_texture *self = burl_alloc_zero(1, sizeof *self);
  if (!self) return BURL_ERR_MEMORY;
  self->base.ops = &texture_ops;
  *encoder = &self->base;
  return BURL_OK;
}

/* Copies a tensor of the file; a group that is not there is a group that is not present. */
static burl_status load_group(burl_texture *self, size_t g, const burl_safetensors *file,
                              burl_diag *diag) {
  texture_group *group = &self->group[g];
  size_t d = burl_texture_dim(g);
  const float *values;
  char name[64];
  tensor_name(name, g, "mean");
  if (!burl_safetensors_find(file, name)) return BURL_OK;
  burl_status status = burl_safetensors_get_floats(file, &values, name, &d, 1, diag);
  if (status != BURL_OK) return status;
  memcpy(group->mean, values, d * sizeof *values);
  tensor_name(name, g, "whiten");
  status = burl_safetensors_get_floats(file, &values, name, (size_t[]){d, d}, 2, diag);
  if (status != BURL_OK) return status;
  memcpy(group->whiten, values, d * d * sizeof *values);
  group->present = 1;
  if (g >= TEXTURE_LEVELS) return BURL_OK;
  tensor_name(name, g, "filters");
  const size_t shape[] = {BURL_FILTER_COUNT, BURL_FILTER_SIDE, BURL_FILTER_SIDE};
  status = burl_safetensors_get_floats(file, &values, name, shape, 3, diag);
  if (status == BURL_OK) memcpy(self->filters[g], values, sizeof self->filters[g]);
  return status;
}

burl_status burl_texture_load(burl_encoder **encoder, const burl_safetensors *file,
                              burl_diag *diag) {
  burl_encoder *made;
  burl_status status = burl_texture_new(&made);
  if (status != BURL_OK) return burl_fail_memory(diag, NULL);
  burl_texture *self = (burl_texture *)made;
  int any = 0;
  for (size_t g = 0; g < TEXTURE_GROUPS && status == BURL_OK; g++) {
    status = load_group(self, g, file, diag);
    any |= self->group[g].present;
  }
  if (status == BURL_OK && !any)
    status = burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                       "holds no tensor of the texture encoder");
  if (status != BURL_OK) {
    texture_free(made);
    return status;
  }
  burl_texture_arrange(self);
  *encoder = made;
  return BURL_OK;
}
