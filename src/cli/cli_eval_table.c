/* Measures as a table for people and for papers. */
#include "cli_eval_table.h"

#include <math.h>
#include <stdio.h>

static const char *number(char *text, size_t size, double value) {
  if (isnan(value)) return "-";
  snprintf(text, size, "%.4f", value);
  return text;
}

static void print_row(const char *name, double value, const burl_interval *interval, int markdown) {
  char a[32], low[32], high[32], both[80] = "-";
  if (interval && !isnan(interval->low))
    snprintf(both, sizeof both, "%s to %s", number(low, sizeof low, interval->low),
             number(high, sizeof high, interval->high));
  printf(markdown ? "| %s | %s | %s |\n" : "%-18s%-9s%s\n", name, number(a, sizeof a, value), both);
}

void burl_cli_print_measures(const burl_report_metrics *metrics, const burl_evidence *evidence,
                             int markdown) {
  double limit = metrics->pixel.pro_limit;
  if (markdown)
    printf("| measure | value | %.0f %% interval |\n|---|---|---|\n", 100 * metrics->level);
  else
    printf("%-18s%-9s%.0f %% interval\n", "", "value", 100 * metrics->level);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    burl_measure measure = (burl_measure)i;
    double value = burl_evidence_get_value(evidence, measure);
    if (measure == BURL_MEASURE_AUSPRO && isnan(value)) continue; /* of masks of another kind */
    print_row(burl_measure_get_name(measure), value, &metrics->intervals[i], markdown);
  }
  print_row("box AP50", metrics->boxes.ap50, NULL, markdown);
  print_row("box AP", metrics->boxes.ap, NULL, markdown);
  print_row("box recall, 100", metrics->boxes.recall_100, NULL, markdown);
  print_row("mask Dice", metrics->boxes.mask_dice, NULL, markdown);
  if (isnan(limit) || limit == 0.3 || limit == 0.05) return;
  char name[32];
  snprintf(name, sizeof name, "AUPRO to %.4g", limit);
  print_row(name, metrics->pixel.aupro, NULL, markdown);
}
