/* base/safetensors_header.h: what reader and writer of safetensors files must agree on. */
#ifndef BURL_BASE_SAFETENSORS_HEADER_H
#define BURL_BASE_SAFETENSORS_HEADER_H

#include <burl/base.h>

#define BURL_SAFETENSORS_PREFIX 8             /* bytes of the header's length */
#define BURL_SAFETENSORS_MAX_HEADER 100000000 /* bytes, as the format says */
#define BURL_SAFETENSORS_MAX_COMMAS 1000000   /* outside of texts: bounds the JSON tree */
#define BURL_SAFETENSORS_MAX_FILE UINT32_MAX  /* bytes */
#define BURL_METADATA_NAME "__metadata__"
#define BURL_CHECKSUM_DIGITS 8

/* Whether a header is small enough for a JSON tree to be made of it: its length, the nesting, and
 * the number of values; *memory is a bound on what that takes. Says nothing of its being JSON.
 * `path` is for the diagnosis. Errors: BURL_ERR_FORMAT (nesting), BURL_ERR_UNSUPPORTED (length,
 * number). */
burl_status burl_safetensors_check_header(size_t *memory, const unsigned char *header, size_t size,
                                          const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* Where in a valid header the digits of the checksum begin; SIZE_MAX where they are not to be found
 * in the form that burl writes. */
size_t burl_safetensors_find_digits(const unsigned char *header, size_t size);

/* The CRC-32 as the text that stands in a file. */
void burl_safetensors_format_checksum(char text[BURL_CHECKSUM_DIGITS + 1], unsigned long crc);

#endif
