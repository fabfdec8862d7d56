/* evaluate/evidence_tensors.h: the names in an evidence file. */
#ifndef BURL_EVALUATE_EVIDENCE_TENSORS_H
#define BURL_EVALUATE_EVIDENCE_TENSORS_H

#define BURL_EVIDENCE_FORMAT "evidence-1" /* metadata burl.format */
#define BURL_EVIDENCE_DEFECTIVE 1         /* bits of image.flags */
#define BURL_EVIDENCE_WITH_TRUTH 2
#define BURL_EVIDENCE_TOTALS 4 /* columns of pixel.totals: good, defect, regions, channels */

/* In the order of burl_row_kind. */
#define BURL_EVIDENCE_ROW_NAMES                                                                    \
  { "good", "defect", "share", "saturated" }

#endif
