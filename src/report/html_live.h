/* report/html_live.h: the controls of a page for readers with scripts. */
#ifndef BURL_REPORT_HTML_LIVE_H
#define BURL_REPORT_HTML_LIVE_H

#include "report/html_page.h"

#define BURL_LIVE_MODEL 100 /* the step that is the model's threshold */

/* The last step of the threshold at which an image of this score is called a defect, -1: none. */
int burl_live_step(double score, double threshold);

/* The threshold to move; hidden until the script shows it. */
void burl_page_live(const burl_page *page);

#endif
