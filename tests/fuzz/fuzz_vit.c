/* A vision transformer from hostile bytes: whatever is taken must run and can be saved. */
#include "encode/vit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const burl_network *network) {
  burl_network_map maps[BURL_VIT_LAYERS];
  burl_network_layer layer = network->ops->get_layer(network, 0);
  size_t height = 2 * layer.stride, width = 3 * layer.stride;
  burl_network_workspace *workspace = network->ops->workspace_new(network, height, width);
  if (!workspace) return;
  memset(network->ops->get_input(workspace, height, width), 0, 3 * height * width * sizeof(float));
  network->ops->forward(network, workspace, height, width, maps);
  if (maps[0].rows != 2 || maps[0].cols != 3 || maps[0].dim != layer.dim) abort();
  network->ops->workspace_free(workspace);
  burl_safetensors_writer *writer;
  if (burl_safetensors_writer_new(&writer) != BURL_OK) return;
  if (network->ops->save(network, writer, "fuzz") != BURL_OK) abort();
  burl_safetensors_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int layers[] = {1};
  burl_safetensors *file = NULL;
  burl_weights *weights = NULL;
  burl_network *network = NULL;
  burl_diag diag = {0};
  if (burl_safetensors_parse(&file, data, size, "fuzz", &diag) != BURL_OK) return 0;
  if (burl_weights_view(&weights, file, "", "", "fuzz", &diag) == BURL_OK) {
    burl_status status = burl_vit_new(&network, "vit", weights, layers, 1, 1, &diag);
    if (status != diag.status || (status == BURL_OK) != (network != NULL)) abort();
    if (network) {
      use(network);
      network->ops->free(network);
    }
    burl_weights_free(weights);
  }
  burl_safetensors_free(file);
  return 0;
}
