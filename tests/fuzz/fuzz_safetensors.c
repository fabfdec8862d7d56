/* Safetensors from memory: whatever is taken must hold together when it is walked through. */
#include "base/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every byte, so that a tensor outside of the file shows, and checks what is promised. */
static void walk_tensor(const burl_safetensors *file, size_t index) {
  const burl_tensor *tensor = burl_safetensors_get_tensor(file, index);
  const unsigned char *bytes = tensor->data;
  const float *values = NULL;
  burl_diag diag = {0};
  volatile unsigned char sum = 0;
  size_t count = 1;
  for (size_t axis = 0; axis < tensor->rank; axis++)
    count *= tensor->shape[axis];
  for (size_t i = 0; i < tensor->size; i++)
    sum = (unsigned char)(sum + bytes[i]);
  if (tensor->rank > BURL_TENSOR_MAX_RANK || count != tensor->count) abort();
  if (count * burl_dtype_get_size(tensor->dtype) != tensor->size) abort();
  if ((uintptr_t)bytes % burl_dtype_get_size(tensor->dtype) != 0) abort();
  if (burl_safetensors_find(file, tensor->name) != tensor) abort();
  if (index > 0 && strcmp(burl_safetensors_get_tensor(file, index - 1)->name, tensor->name) >= 0)
    abort();
  burl_status status =
      burl_safetensors_get_floats(file, &values, tensor->name, tensor->shape, tensor->rank, &diag);
  if (status != diag.status || (status == BURL_OK) != (values != NULL)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  burl_safetensors *file = NULL;
  burl_diag diag = {0};
  char text[2048];
  burl_status status = burl_safetensors_parse(&file, data, size, "fuzz", &diag);
  burl_diag_format(text, sizeof text, &diag);
  if (status != diag.status || (status == BURL_OK) != (file != NULL)) abort();
  if (status != BURL_OK) return 0;
  size_t bytes = 0;
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    walk_tensor(file, i);
    bytes += burl_safetensors_get_tensor(file, i)->size;
  }
  if (bytes > size) abort();
  const char *written = burl_safetensors_get_metadata(file, BURL_CHECKSUM_KEY);
  status = burl_safetensors_check_checksum(file, &diag);
  if (status != diag.status || (status == BURL_OK && (!written || strlen(written) != 8))) abort();
  burl_safetensors_free(file);
  return 0;
}
