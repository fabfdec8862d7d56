/* Several encoders as one. A region is encoded by all of them, each in its own working memory; what
 * they find is brought together where the groups' distances are added up (model/tile.c), so nothing
 * here weighs one against another. */
#include "encode/fused.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct fused {
  burl_encoder base;
  burl_encoder_ops ops;
  size_t count;
  burl_encoder *part[BURL_MAX_PARTS];
  size_t first[BURL_MAX_PARTS + 1]; /* groups before each part */
  char name[BURL_MAX_PARTS * 40];
} fused;

struct burl_encoder_workspace {
  const fused *encoder;
  burl_encoder_workspace *part[BURL_MAX_PARTS];
};

static void fused_free(burl_encoder *encoder) {
  fused *self = (fused *)encoder;
  for (size_t p = 0; p < self->count; p++)
    self->part[p]->ops->free(self->part[p]);
  free(self);
}

static size_t part_of(const fused *self, size_t group) {
  size_t p = 0;
  while (group >= self->first[p + 1])
    p++;
  return p;
}

static burl_group get_group(const burl_encoder *encoder, size_t group) {
  const fused *self = (const fused *)encoder;
  size_t p = part_of(self, group);
  return self->part[p]->ops->get_group(self->part[p], group - self->first[p]);
}

static void leave_out(burl_encoder *encoder, size_t group) {
  fused *self = (fused *)encoder;
  size_t p = part_of(self, group);
  self->part[p]->ops->leave_out(self->part[p], group - self->first[p]);
}

static void workspace_free(burl_encoder_workspace *workspace) {
  if (!workspace) return;
  const fused *self = workspace->encoder;
  for (size_t p = 0; p < self->count; p++)
    self->part[p]->ops->workspace_free(workspace->part[p]);
  free(workspace);
}

static burl_encoder_workspace *workspace_new(const burl_encoder *encoder, size_t height,
                                             size_t width) {
  const fused *self = (const fused *)encoder;
  burl_encoder_workspace *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return NULL;
  made->encoder = self;
  for (size_t p = 0; p < self->count; p++) {
    made->part[p] = self->part[p]->ops->workspace_new(self->part[p], height, width);
    if (made->part[p]) continue;
    workspace_free(made);
    return NULL;
  }
  return made;
}

static void encode(const burl_encoder *encoder, burl_encoder_workspace *workspace,
                   const burl_view *view, burl_rect region, burl_feature_map *maps) {
  const fused *self = (const fused *)encoder;
  for (size_t p = 0; p < self->count; p++)
    self->part[p]->ops->encode(self->part[p], workspace->part[p], view, region,
                               maps + self->first[p]);
}

static burl_status save(const burl_encoder *encoder, burl_safetensors_writer *writer) {
  const fused *self = (const fused *)encoder;
  burl_status status = BURL_OK;
  for (size_t p = 0; p < self->count && status == BURL_OK; p++)
    status = self->part[p]->ops->save(self->part[p], writer);
  return status;
}

static const burl_encoder_ops plain_ops = {.free = fused_free,
                                           .get_group = get_group,
                                           .leave_out = leave_out,
                                           .workspace_new = workspace_new,
                                           .workspace_free = workspace_free,
                                           .encode = encode,
                                           .save = save};

static int is_fused(const burl_encoder *encoder) {
  return encoder->ops->encode == encode;
}

burl_status burl_fused_new(burl_encoder **encoder, burl_encoder *const *parts, size_t count) {
  size_t groups = 0;
  if (count == 0 || count > BURL_MAX_PARTS) return BURL_ERR_ARGUMENT;
  for (size_t p = 0; p < count; p++)
    groups += parts[p]->ops->groups;
  if (groups > BURL_MAX_GROUPS) return BURL_ERR_ARGUMENT;
  if (count == 1) {
    *encoder = parts[0];
    return BURL_OK;
  }
  fused *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->base.ops = &made->ops;
  made->ops = plain_ops;
  made->ops.name = made->name;
  made->ops.groups = groups;
  made->count = count;
  for (size_t p = 0; p < count; p++) {
    const burl_encoder_ops *ops = parts[p]->ops;
    made->part[p] = parts[p];
    made->first[p + 1] = made->first[p] + ops->groups;
    if (ops->alignment > made->ops.alignment) made->ops.alignment = ops->alignment;
    if (ops->halo > made->ops.halo) made->ops.halo = ops->halo;
    if (p > 0) strcat(made->name, ",");
    strncat(made->name, ops->name, 38);
  }
  size_t unit = made->ops.alignment;
  made->ops.halo = (made->ops.halo + unit - 1) / unit * unit;
  *encoder = &made->base;
  return BURL_OK;
}

size_t burl_fused_count(const burl_encoder *encoder) {
  return is_fused(encoder) ? ((const fused *)encoder)->count : 1;
}

burl_encoder *burl_fused_get(burl_encoder *encoder, size_t part) {
  return is_fused(encoder) ? ((fused *)encoder)->part[part] : encoder;
}

const burl_encoder *burl_fused_get_const(const burl_encoder *encoder, size_t part) {
  return is_fused(encoder) ? ((const fused *)encoder)->part[part] : encoder;
}

size_t burl_fused_part_of(const burl_encoder *encoder, size_t group) {
  return is_fused(encoder) ? part_of((const fused *)encoder, group) : 0;
}
