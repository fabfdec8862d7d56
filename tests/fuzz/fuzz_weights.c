/* A network from hostile weights: whatever is taken must run, whatever is refused must say why. */
#include "encode/network_encoder.h"
#include "encode/resnet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_network(const burl_weights *weights, const char *name, const int *layers,
                        size_t count, int half) {
  burl_network *network = NULL;
  burl_network_map maps[4];
  burl_diag diag = {0};
  burl_status status = burl_resnet_new(&network, name, weights, layers, count, half, &diag);
  if (status != diag.status || (status == BURL_OK) != (network != NULL)) abort();
  if (status != BURL_OK) {
    if (!diag.reason[0]) abort();
    return;
  }
  burl_network_workspace *w = network->ops->workspace_new(network, 33, 40);
  if (w) {
    memset(network->ops->get_input(w, 33, 40), 0, 3 * 33 * 40 * sizeof(float));
    network->ops->forward(network, w, 33, 40, maps);
    for (size_t i = 0; i < count; i++)
      if (maps[i].dim != network->ops->get_layer(network, i).dim) abort();
  }
  network->ops->workspace_free(w);
  network->ops->free(network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int first[] = {1}, third[] = {3}, all[] = {1, 2, 3, 4};
  burl_safetensors *file = NULL;
  burl_weights *weights;
  burl_diag diag = {0};
  if (burl_safetensors_parse(&file, data, size, "fuzz", &diag) != BURL_OK) return 0;
  if (burl_weights_view(&weights, file, "net.", "", "fuzz", &diag) == BURL_OK) {
    try_network(weights, "resnet18", first, 1, 0);
    try_network(weights, "resnet18", all, 4, 1);
    try_network(weights, "resnet50", third, 1, 0);
    burl_weights_free(weights);
  }
  burl_safetensors_free(file);
  return 0;
}
