/* cli_eval_table.h: the table that burl eval prints. */
#ifndef BURL_CLI_EVAL_TABLE_H
#define BURL_CLI_EVAL_TABLE_H

#include <burl/report.h>

/* Text, or a table in Markdown: a row for each measure with its interval, and one for AUPRO to a
 * limit that is none of the usual two. */
void burl_cli_print_measures(const burl_report_metrics *metrics, const burl_evidence *evidence,
                             int markdown);

#endif
