/* evaluate/evidence_file.h: evidence from memory. */
#ifndef BURL_EVALUATE_EVIDENCE_FILE_H
#define BURL_EVALUATE_EVIDENCE_FILE_H

#include <burl/evaluate_evidence.h>

/* As burl_evidence_load, of bytes that a file would hold; `name` stands for its path. The
 * checksum is not looked at. */
burl_status burl_evidence_parse(burl_evidence **self, const void *bytes, size_t size,
                                const char *name, burl_diag *diag) BURL_MUST_CHECK;

#endif
