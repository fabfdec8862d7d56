/* burl compare: two evaluations of the same images, side by side, and how sure the difference is.
 */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/evaluate_evidence.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LEVEL 0.95

typedef struct comparing {
  burl_evidence *run[2];
  burl_difference differences[BURL_MEASURE_COUNT];
  burl_comparison all;
} comparing;

void burl_cli_preset_compare(cli_values *values) {
  values->option[CLI_FORMAT].preset = 1; /* text */
}

/* An operand is an output folder of burl eval, or the evidence in it. */
static burl_status load(burl_evidence **evidence, const char *path, burl_diag *diag) {
  struct stat what;
  if (stat(path, &what) != 0 || !S_ISDIR(what.st_mode))
    return burl_evidence_load(evidence, path, diag);
  char *inside = burl_cli_join(path, "evidence.safetensors", "");
  if (!inside) return burl_cli_no_memory(diag);
  burl_status status;
  if (burl_cli_exists(inside))
    status = burl_evidence_load(evidence, inside, diag);
  else
    status = burl_cli_diagnose(diag, BURL_ERR_IO, path, "Name the output folder of burl eval.",
                               "has no evidence.safetensors");
  free(inside);
  return status;
}

static const char *number(char *text, size_t size, double value, int sign) {
  if (isnan(value)) return "-";
  snprintf(text, size, sign ? "%+.4f" : "%.4f", value);
  return text;
}

/* "B, 97.2 %"; a false alarm rate is the better the lower. */
static const char *better(char *text, size_t size, const burl_difference *d, int measure) {
  if (isnan(d->difference)) return "-";
  if (d->difference == 0) return "equal";
  int b = (d->difference > 0) != (measure == BURL_MEASURE_FALSE_ALARM);
  if (isnan(d->sure)) return b ? "B, too few images to say" : "A, too few images to say";
  double sure = floor(1000 * d->sure) / 10; /* never rounded up to certainty */
  int proven = d->interval.low > 0 || d->interval.high < 0;
  if (d->sure > 0.999)
    snprintf(text, size, "%c, sure to more than 99.9 %%%s", b ? 'B' : 'A', proven ? " *" : "");
  else
    snprintf(text, size, "%c, sure to %.1f %%%s", b ? 'B' : 'A', sure, proven ? " *" : "");
  return text;
}

static void print_row(const comparing *c, int measure, int markdown) {
  const burl_difference *d = &c->differences[measure];
  char a[32], b[32], difference[32], low[32], high[32], interval[80], word[64];
  number(low, sizeof low, d->interval.low, 1);
  number(high, sizeof high, d->interval.high, 1);
  snprintf(interval, sizeof interval, isnan(d->interval.low) ? "-" : "%s to %s", low, high);
  printf(markdown ? "| %s | %s | %s | %s | %s | %s |\n" : "%-18s%-9s%-9s%-10s%-20s%s\n",
         burl_measure_get_name((burl_measure)measure), number(a, sizeof a, d->a, 0),
         number(b, sizeof b, d->b, 0), number(difference, sizeof difference, d->difference, 1),
         interval, better(word, sizeof word, d, measure));
}

static void print_table(const comparing *c, const cli_values *values) {
  int markdown = values->option[CLI_FORMAT].choice == 1;
  if (markdown)
    puts("| measure | A | B | B - A | 95 % interval | better |\n|---|---|---|---|---|---|");
  else
    printf("%-18s%s\n%-18s%s\n%-18s%zu in both, %zu with defects\n%-18s%-9s%-9s%-10s%-20s%s\n", "A",
           values->operands[0], "B", values->operands[1], "images", c->all.images, c->all.defective,
           "", "A", "B", "B - A", "95 % interval", "better");
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    int rare = i == BURL_MEASURE_AUSPRO; /* of masks of another kind */
    if (!rare || !isnan(c->differences[i].a) || !isnan(c->differences[i].b))
      print_row(c, i, markdown);
  }
}

static void print_notes(const comparing *c, cli_console *console) {
  for (int i = 0; i < 2; i++) {
    size_t alone = burl_evidence_get_count(c->run[i]) - c->all.images;
    if (alone > 0)
      burl_cli_note(
          console,
          "%zu image%s in %c alone: compared are the others, their figures are worked out "
          "from histograms",
          alone, alone == 1 ? " is" : "s are", 'A' + i);
  }
  if (!c->all.same_truth)
    burl_cli_note(console, "the masks of the two runs differ: pixels are not compared");
}

int burl_cli_run_compare(const cli_values *values) {
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_diag diag = {0};
  comparing c = {0};
  const burl_resampling options = {.level = LEVEL,
                                   .threads = (int)values->option[CLI_THREADS].whole};
  burl_status status = load(&c.run[0], values->operands[0], &diag);
  if (status == BURL_OK) status = load(&c.run[1], values->operands[1], &diag);
  if (status == BURL_OK)
    status = burl_evidence_compare(c.run[0], c.run[1], c.differences, &c.all, &options, &diag);
  if (status == BURL_OK) {
    print_table(&c, values);
    print_notes(&c, &console);
  }
  burl_evidence_free(c.run[0]);
  burl_evidence_free(c.run[1]);
  return status == BURL_OK ? CLI_DONE : burl_cli_fail(&console, &diag);
}
