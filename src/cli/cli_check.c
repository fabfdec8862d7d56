/* burl check: opens everything once and says what is there. */
#include "cli_commands.h"
#include "cli_console.h"

#include <burl/dataset.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_label(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "; broken_pick 2, hole 3" */
static void print_classes(const burl_dataset *dataset) {
  size_t items = burl_dataset_get_count(dataset), count = 0;
  const char **labels = malloc((items + 1) * sizeof *labels);
  if (!labels) return;
  for (size_t i = 0; i < items; i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    if (item->split == BURL_SPLIT_TEST && item->defective) labels[count++] = item->label;
  }
  qsort(labels, count, sizeof *labels, by_label);
  for (size_t i = 0, next; i < count; i = next) {
    for (next = i + 1; next < count && strcmp(labels[next], labels[i]) == 0;)
      next++;
    printf("%s%s %zu", i ? ", " : ": ", labels[i], next - i);
  }
  free(labels);
}

static const char *layout_text(burl_layout layout) {
  switch (layout) {
  case BURL_LAYOUT_MVTEC:
    return "MVTec AD (train/good, test/CLASS, ground_truth/CLASS)";
  case BURL_LAYOUT_FOLDER:
    return "folder (every image is a good training image)";
  case BURL_LAYOUT_LIST:
    return "list (CSV)";
  }
  return "unknown";
}

static void print_side(const char *name, size_t least, size_t most) {
  if (least == most)
    printf("%s %zu", name, least);
  else
    printf("%s %zu to %zu", name, least, most);
}

static void print_oddities(const burl_dataset_summary *summary) {
  const struct {
    size_t count;
    const char *text;
  } rows[] = {
      {summary->unreadable, "cannot be read"},
      {summary->too_small, "with a side below 32 pixels, too small to fit on or to score"},
      {summary->constant, "of a single value"},
      {summary->duplicates, "with the same pixels as an earlier image"},
      {summary->grey > 0 ? summary->colour : 0,
       "in colour among grey ones: their channels are averaged"},
      {summary->leaked, "in the test set with the same pixels as a training image"},
      {summary->without_mask, "with defects but without a mask"},
      {summary->mask_mismatch, "with a mask of another size"},
      {summary->empty_masks, "with a mask that marks nothing"},
  };
  const char *title = "odd";
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (rows[i].count == 0) continue;
    printf("%-11s %zu %s\n", title, rows[i].count, rows[i].text);
    title = "";
  }
  if (title[0]) printf("%-11s nothing\n", title);
}

static void print_summary(const burl_dataset *dataset, const burl_dataset_summary *summary) {
  printf("layout      %s\n", layout_text(burl_dataset_get_layout(dataset)));
  printf("training    %zu good image%s\n", summary->train_good,
         burl_cli_plural(summary->train_good));
  printf("test        %zu good image%s, %zu with defects", summary->test_good,
         burl_cli_plural(summary->test_good), summary->test_defective);
  print_classes(dataset);
  printf("\nmasks       %zu\n", summary->masks);
  if (summary->grey + summary->colour > 0) {
    printf("size        ");
    print_side("height", summary->min_height, summary->max_height);
    print_side(", width", summary->min_width, summary->max_width);
    printf("\nsamples     %zu grey, %zu in colour; %zu of them with 16 bits\n", summary->grey,
           summary->colour, summary->sixteen_bit);
  }
  print_oddities(summary);
  if (summary->train_good < 2)
    printf("to fit      not enough: at least 2 good training images are needed\n");
  if (summary->test_good + summary->test_defective == 0)
    printf("to evaluate nothing: there are no test images\n");
}

int burl_cli_run_check(const cli_values *values) {
  cli_console console;
  burl_cli_console_start(&console, 0);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_dataset *dataset = NULL;
  burl_dataset_summary summary = {0};
  burl_status status = burl_dataset_load(&dataset, values->operands[0], &observer, &diag);
  if (status == BURL_OK)
    status = burl_dataset_check(&summary, dataset, (int)values->option[CLI_THREADS].whole,
                                &observer, &diag);
  int result = CLI_DONE;
  if (status != BURL_OK)
    result = burl_cli_fail(&console, &diag);
  else
    print_summary(dataset, &summary);
  if (status == BURL_OK && summary.unreadable + burl_dataset_get_lost(dataset) > 0)
    result = CLI_FAILED;
  burl_dataset_free(dataset);
  return result;
}
