/* Limits of a safetensors header, and the place of the checksum in it.
 *
 * Both work on the raw bytes: the limits because a JSON tree takes some forty times the memory of
 * its text, the place because the checksum covers the bytes as they are, whatever they mean. */
#include "base/safetensors_header.h"

#include "base/diag.h"
#include "base/safetensors.h"

#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 3          /* the header, a tensor, its shape */
#define MEMORY_PER_BYTE 8    /* texts, each in a growing buffer, a key and a value */
#define MEMORY_PER_VALUE 512 /* an object with its table */

burl_status burl_safetensors_check_header(size_t *memory, const unsigned char *header, size_t size,
                                          const char *path, burl_diag *diag) {
  if (size > BURL_SAFETENSORS_MAX_HEADER)
    return burl_fail(diag, BURL_ERR_UNSUPPORTED, path, NULL,
                     "the header has %zu bytes, more than the format's limit of %d", size,
                     BURL_SAFETENSORS_MAX_HEADER);
  size_t commas = 0;
  int depth = 0, quoted = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = header[i];
    if (c == '"') quoted = !quoted;
    if (quoted) {
      if (c == '\\') i++; /* whatever is escaped does not end the text */
      continue;
    }
    if (c == ',') commas++;
    if (c == '}' || c == ']') depth--;
    if ((c == '{' || c == '[') && ++depth > MAX_DEPTH)
      return burl_fail_at(diag, BURL_ERR_FORMAT, path, (int64_t)(BURL_SAFETENSORS_PREFIX + i), NULL,
                          "the header is nested deeper than %d levels", MAX_DEPTH);
  }
  if (commas > BURL_SAFETENSORS_MAX_COMMAS)
    return burl_fail(diag, BURL_ERR_UNSUPPORTED, path, "Split the file.",
                     "the header holds %zu values, more than the limit of %d", commas,
                     BURL_SAFETENSORS_MAX_COMMAS);
  *memory = size * MEMORY_PER_BYTE + (commas + 1) * MEMORY_PER_VALUE;
  return BURL_OK;
}

/* What is found is the key itself: in valid JSON a quotation mark inside a text stands after a
 * backslash, not after '{' or ',', and one that ends a text is not followed by a letter. */
size_t burl_safetensors_find_digits(const unsigned char *header, size_t size) {
  static const char key[] = "\"" BURL_CHECKSUM_KEY "\":\"";
  const size_t length = sizeof key - 1;
  for (size_t i = 1; i + length + BURL_CHECKSUM_DIGITS < size; i++) {
    if (header[i] != '"' || (header[i - 1] != '{' && header[i - 1] != ',')) continue;
    if (memcmp(header + i, key, length) != 0) continue;
    return header[i + length + BURL_CHECKSUM_DIGITS] == '"' ? i + length : SIZE_MAX;
  }
  return SIZE_MAX;
}

void burl_safetensors_format_checksum(char text[BURL_CHECKSUM_DIGITS + 1], unsigned long crc) {
  snprintf(text, BURL_CHECKSUM_DIGITS + 1, "%08lx", crc & 0xFFFFFFFFul);
}
