/* Joint points, and the bank that scores by the nearest of them. */
#include "prototype/points.h"

#include "base/diag.h"
#include "base/memory.h"
#include "num/nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TURN 6.283185307179586 /* 2 pi */

enum { JOINED = 16 * BURL_JOINT_MAX_DIM }; /* floats of patches joined at a time, 256 KiB */

typedef struct points_bank {
  burl_bank base;
  burl_joint joint;
  float *packed; /* the joint points, arranged for num/nearest */
  double radius; /* power of the relative radius */
  float *factor; /* (K) what a distance is multiplied by, NULL: nothing */
} points_bank;

burl_joint burl_joint_of(size_t d, burl_spatial spatial, double spatial_weight) {
  burl_joint joint = {.d = d, .dim = d, .spatial = BURL_SPATIAL_NONE, .weight = 0.0f};
  joint.scale = (float)sqrt(1.0 / (double)d);
  if (spatial == BURL_SPATIAL_NONE || !(spatial_weight > 0.0)) return joint;
  double s = spatial == BURL_SPATIAL_PERIODIC ? 0.5 : 6.0;
  joint.dim = d + (spatial == BURL_SPATIAL_PERIODIC ? 4 : 2);
  joint.spatial = spatial;
  joint.weight = (float)sqrt(s * spatial_weight * (double)d / (1.0 - spatial_weight));
  joint.scale = (float)sqrt((1.0 - spatial_weight) / (double)d);
  return joint;
}

static void join_position(const burl_joint *self, float *to, const float position[2]) {
  if (self->spatial == BURL_SPATIAL_GRID) {
    to[0] = self->weight * position[0];
    to[1] = self->weight * position[1];
    return;
  }
  for (size_t i = 0; i < 2; i++) {
    double turn = TURN * (double)position[i];
    to[2 * i] = self->weight * (float)cos(turn);
    to[2 * i + 1] = self->weight * (float)sin(turn);
  }
}

/* The position that joint coordinates stand for; a mean of phases lies inside the circles. */
static void part_position(const burl_joint *self, float position[2], const float *from) {
  for (size_t i = 0; i < 2; i++) {
    if (self->spatial == BURL_SPATIAL_GRID) {
      position[i] = from[i] / self->weight;
      continue;
    }
    double turn = atan2((double)from[2 * i + 1], (double)from[2 * i]) / TURN;
    position[i] = (float)(turn - floor(turn));
  }
}

void burl_joint_points(const burl_joint *self, float *joint, const float *patches,
                       const float *positions, size_t n) {
  for (size_t i = 0; i < n; i++) {
    memcpy(joint + i * self->dim, patches + i * self->d, self->d * sizeof *joint);
    if (self->dim > self->d)
      join_position(self, joint + i * self->dim + self->d, positions + 2 * i);
  }
}

/* Patches of a call are joined on the stack, as many at a time as fit. */
static void nearest_joint(const points_bank *self, float *squared, uint32_t *nearest,
                          const float *patches, const float *positions, size_t n) {
  float joint[JOINED];
  size_t dim = self->joint.dim, step = JOINED / dim;
  for (size_t i = 0; i < n; i += step) {
    size_t m = n - i < step ? n - i : step;
    burl_joint_points(&self->joint, joint, patches + i * self->joint.d, positions + 2 * i, m);
    burl_points_nearest(squared + i, nearest ? nearest + i : NULL, joint, m, self->packed,
                        self->base.count, dim);
  }
}

/* Distances over relative radii: the nearest prototype has to be known for each patch. */
static void divide_by_radii(const points_bank *self, float *distance, uint32_t *nearest,
                            const float *patches, const float *positions, size_t n) {
  enum { STEP = 1024 };
  uint32_t found[STEP];
  for (size_t i = 0; i < n; i += STEP) {
    size_t m = n - i < STEP ? n - i : STEP;
    uint32_t *at = nearest ? nearest + i : found;
    const float *p = positions ? positions + 2 * i : NULL;
    if (self->joint.dim > self->joint.d)
      nearest_joint(self, distance + i, at, patches + i * self->joint.d, p, m);
    else
      burl_points_nearest(distance + i, at, patches + i * self->joint.d, m, self->packed,
                          self->base.count, self->joint.d);
    for (size_t j = i; j < i + m; j++)
      distance[j] = self->joint.scale * sqrtf(distance[j]) * self->factor[at[j - i]];
  }
}

static void score(const burl_bank *bank, float *distance, uint32_t *nearest, const float *patches,
                  const float *positions, size_t n) {
  const points_bank *self = (const points_bank *)bank;
  if (self->factor) {
    divide_by_radii(self, distance, nearest, patches, positions, n);
    return;
  }
  if (self->joint.dim > self->joint.d)
    nearest_joint(self, distance, nearest, patches, positions, n);
  else
    burl_points_nearest(distance, nearest, patches, n, self->packed, bank->count, self->joint.d);
  for (size_t i = 0; i < n; i++)
    distance[i] = self->joint.scale * sqrtf(distance[i]);
}

static burl_status save(const burl_bank *bank, const char *prefix,
                        burl_safetensors_writer *writer) {
  (void)bank, (void)prefix, (void)writer; /* nothing beyond the common tensors */
  return BURL_OK;
}

static void release(burl_bank *bank) {
  points_bank *self = (points_bank *)bank;
  free(self->packed);
  free(self->factor);
}

static const burl_bank_ops points_ops = {
    .kind = "points", .score = score, .save = save, .free = release};

static burl_status make(points_bank **bank, size_t k, const burl_joint *joint, double radius) {
  if (joint->dim > BURL_JOINT_MAX_DIM) return BURL_ERR_SIZE;
  burl_bank *made;
  burl_status status =
      burl_bank_new(&made, sizeof(points_bank), &points_ops, k, joint->d, joint->spatial);
  if (status != BURL_OK) return status;
  points_bank *self = (points_bank *)made;
  self->joint = *joint;
  self->radius = radius;
  self->packed = burl_alloc_zero(burl_points_packed_size(k, joint->dim), sizeof(float));
  if (radius > 0.0) self->factor = burl_alloc(k, sizeof *self->factor);
  if (!self->packed || (radius > 0.0 && !self->factor)) {
    burl_bank_free(made);
    return BURL_ERR_MEMORY;
  }
  for (size_t j = 0; self->factor && j < k; j++)
    self->factor[j] = 1.0f;
  *bank = self;
  return BURL_OK;
}

burl_status burl_points_new(burl_bank **bank, const float *prototypes, size_t k,
                            const burl_joint *joint, double radius) {
  points_bank *self;
  burl_status status = make(&self, k, joint, radius);
  if (status != BURL_OK) return status;
  for (size_t j = 0; j < k; j++) {
    const float *from = prototypes + j * joint->dim;
    memcpy(self->base.prototypes + j * joint->d, from, joint->d * sizeof *from);
    if (joint->dim > joint->d) part_position(joint, self->base.positions + 2 * j, from + joint->d);
  }
  /* What is scored is what is saved: the joint points of the prototypes, not those given. */
  float *joined = burl_alloc(k * joint->dim, sizeof *joined);
  if (!joined) {
    burl_bank_free(&self->base);
    return BURL_ERR_MEMORY;
  }
  burl_joint_points(joint, joined, self->base.prototypes, self->base.positions, k);
  burl_points_pack(self->packed, joined, k, joint->dim);
  free(joined);
  *bank = &self->base;
  return BURL_OK;
}

void burl_points_finish(burl_bank *bank) {
  points_bank *self = (points_bank *)bank;
  double mean = 0.0;
  if (!self->factor) return;
  for (size_t j = 0; j < bank->count; j++)
    mean += (double)bank->mass[j] * (double)bank->radius[j];
  for (size_t j = 0; j < bank->count; j++) {
    double relative = mean > 0.0 ? (double)bank->radius[j] / mean : 1.0;
    self->factor[j] = (float)pow(fmax(relative, 0.1), -self->radius);
  }
}

burl_status burl_points_load(burl_bank **bank, const char *prefix, const burl_bank_options *options,
                             size_t dim, const burl_safetensors *file, burl_diag *diag) {
  burl_joint joint = burl_joint_of(dim, options->spatial, options->spatial_weight);
  points_bank *self;
  size_t k;
  burl_status status = burl_bank_load_count(&k, prefix, file, diag);
  if (status != BURL_OK) return status;
  if (make(&self, k, &joint, options->radius) != BURL_OK) return burl_fail_memory(diag, NULL);
  status = burl_bank_load_common(&self->base, prefix, file, diag);
  float *joined = burl_alloc(k * joint.dim, sizeof *joined);
  if (status == BURL_OK && !joined) status = burl_fail_memory(diag, NULL);
  if (status == BURL_OK) {
    burl_joint_points(&joint, joined, self->base.prototypes, self->base.positions, k);
    burl_points_pack(self->packed, joined, k, joint.dim);
    burl_points_finish(&self->base);
  }
  free(joined);
  if (status != BURL_OK) {
    burl_bank_free(&self->base);
    return status;
  }
  *bank = &self->base;
  return BURL_OK;
}
