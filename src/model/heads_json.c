/* Heads to and from JSON. What is read may be anything: weights are finite and not below 0, scales
 * above 0, the last head is the nameless one. */
#include "model/heads_json.h"

#include <math.h>
#include <string.h>

static json_t *describe(const burl_head *head, size_t groups) {
  json_t *weights = json_array();
  for (size_t g = 0; weights && g < groups; g++)
    if (json_array_append_new(weights, json_real((double)head->weight[g])) != 0) {
      json_decref(weights);
      return NULL;
    }
  return json_pack("{s:s, s:o, s:f, s:f, s:f, s:f, s:f}", "kind", burl_kind_get_name(head->kind),
                   "weights", weights, "sigma", head->sigma, "typical", head->typical, "deviation",
                   head->deviation, "ap", head->ap, "equal_ap", head->equal_ap);
}

static json_t *describe_some(const burl_model *model, size_t first, size_t count) {
  json_t *heads = json_array();
  for (size_t h = first; heads && h < first + count; h++)
    if (json_array_append_new(heads,
                              describe(&model->heads.head[h], model->encoder->ops->groups)) != 0) {
      json_decref(heads);
      return NULL;
    }
  return heads;
}

json_t *burl_heads_describe(const burl_model *model) {
  return describe_some(model, 0, model->heads.count);
}

json_t *burl_heads_describe_dropped(const burl_model *model) {
  return describe_some(model, model->heads.count, model->heads.dropped);
}

static int take_weights(burl_head *head, const json_t *weights, size_t groups) {
  if (!json_is_array(weights) || json_array_size(weights) != groups) return 0;
  for (size_t g = 0; g < groups; g++) {
    const json_t *value = json_array_get(weights, g);
    double weight = json_number_value(value);
    if (!json_is_number(value) || !(weight >= 0.0 && weight < 1e30)) return 0;
    head->weight[g] = (float)weight;
  }
  return 1;
}

static int take_kind(burl_head *head, const char *name) {
  for (int k = 0; k < BURL_KIND_COUNT; k++)
    if (strcmp(name, burl_kind_get_name((burl_kind)k)) == 0) {
      head->kind = (burl_kind)k;
      return 1;
    }
  return 0;
}

static int take_head(burl_head *head, json_t *from, size_t groups) {
  const char *kind;
  json_t *weights;
  return json_unpack(from, "{s:s, s:o, s:F, s:F, s:F, s:F, s:F}", "kind", &kind, "weights",
                     &weights, "sigma", &head->sigma, "typical", &head->typical, "deviation",
                     &head->deviation, "ap", &head->ap, "equal_ap", &head->equal_ap) == 0 &&
         take_kind(head, kind) && take_weights(head, weights, groups) &&
         head->sigma >= BURL_HEAT_SIGMA && head->sigma <= BURL_HEAT_MOST_SIGMA &&
         isfinite(head->typical) && isfinite(head->deviation) && head->deviation > 1e-30;
}

/* Heads from `first` on; 0 unless all of them are well-formed and, but for the last one where there
 * is to be one, named. */
static int take_list(burl_model *model, size_t first, const json_t *heads, int last_is_nameless) {
  size_t count = json_array_size(heads);
  if (!json_is_array(heads) || first + count > BURL_MOST_HEADS) return 0;
  for (size_t h = 0; h < count; h++) {
    burl_head *head = &model->heads.head[first + h];
    if (!take_head(head, json_array_get(heads, h), model->encoder->ops->groups)) return 0;
    if ((head->kind == BURL_KIND_NONE) != (last_is_nameless && h + 1 == count)) return 0;
  }
  return 1;
}

burl_status burl_heads_take(burl_model *model, const json_t *heads, const json_t *dropped) {
  size_t count = json_array_size(heads);
  if (heads && (count == 1 || !take_list(model, 0, heads, 1))) return BURL_ERR_FORMAT;
  if (dropped && !take_list(model, count, dropped, 0)) return BURL_ERR_FORMAT;
  model->heads.count = count;
  model->heads.dropped = json_array_size(dropped);
  return BURL_OK;
}
