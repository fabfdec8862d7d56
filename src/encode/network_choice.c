/* Which networks there are, and which of their layers are looked at by default: those that tell
 * texture from meaning, in the middle. */
#include "base/diag.h"
#include "encode/network_encoder.h"

#include <stdlib.h>
#include <string.h>

typedef struct known {
  const char *name, *layers;
  int most; /* layers */
} known;

static const known networks[] = {
    {"resnet18", "2,3", 4},  {"resnet34", "2,3", 4},        {"resnet50", "2,3", 4},
    {"resnet101", "2,3", 4}, {"wide_resnet50_2", "2,3", 4},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static const known *find(const char *name) {
  for (size_t i = 0; i < NETWORKS; i++)
    if (strcmp(networks[i].name, name) == 0) return &networks[i];
  return NULL;
}

burl_status burl_network_choose(burl_network_choice *choice, const char *name, const char *layers,
                                burl_diag *diag) {
  const known *network = find(name);
  burl_network_choice made = {.joint = 1};
  if (!network)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL,
                     "Networks: resnet18, resnet34, resnet50, resnet101, wide_resnet50_2.",
                     "there is no encoder \"%.60s\"", name);
  if (!layers) layers = network->layers;
  strcpy(made.name, network->name);
  for (const char *at = layers;; at++) {
    char *end;
    long layer = strtol(at, &end, 10);
    long before = made.count > 0 ? made.layers[made.count - 1] : 0;
    if (end == at || (*end && *end != ',') || layer <= before || layer > network->most ||
        made.count == BURL_NETWORK_LAYERS)
      return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Name up to four, rising, as \"2,3\".",
                       "layers \"%.60s\" cannot be had from %s, which has 1 to %d", layers,
                       network->name, network->most);
    made.layers[made.count++] = (int)layer;
    at = end;
    if (!*at) break;
  }
  *choice = made;
  return BURL_OK;
}
