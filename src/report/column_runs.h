/* report/column_runs.h: masks as COCO's compressed run lengths. */
#ifndef BURL_REPORT_COLUMN_RUNS_H
#define BURL_REPORT_COLUMN_RUNS_H

#include <burl/detect.h>

/* *text (freed by the caller): the mask's run lengths down the columns of an image (height, width),
 * those of 0 and 1 in turn beginning with 0, as COCO writes them: from the fourth on the difference
 * to the one before the last, five bits a letter from '0' on, lowest first, with a sixth bit where
 * more follow. Errors: BURL_ERR_MEMORY. */
burl_status burl_column_runs(char **text, const burl_proposal *mask, size_t height,
                             size_t width) BURL_MUST_CHECK;

#endif
