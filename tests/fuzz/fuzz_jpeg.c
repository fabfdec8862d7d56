/* Any bytes through the JPEG decoder; what it accepts must be an image whose ends are in range. */
#include <burl/image.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  burl_image image = {0};
  burl_diag diag = {0};
  burl_status status = burl_image_decode(&image, data, size, "fuzz.jpg", &diag);
  if (status != BURL_OK) {
    if (image.data || diag.status != status || !diag.reason[0]) abort();
    return 0;
  }
  float first, last;
  burl_image_get_grey(&image, &first, 1, 0, 0, 1, 1);
  burl_image_get_grey(&image, &last, 1, image.height - 1, image.width - 1, 1, 1);
  if (!(first >= 0 && first <= 1 && last >= 0 && last <= 1)) abort();
  burl_image_free(&image);
  return 0;
}
