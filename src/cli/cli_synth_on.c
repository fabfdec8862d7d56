/* burl synth --on: synthetic defects put on a user's own good images, for people to see and for
 * tests of their own. Every kind is put on as many images, taken in turn. An image that cannot be
 * used is reported and its defects are left out. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/dataset.h>
#include <burl/synth_put.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct on_job {
  const burl_dataset *dataset;
  const burl_observer *observer;
  size_t *good; /* (count) items that are good training images */
  size_t count, each;
  const char *folder;
  uint64_t seed;
  size_t failed;
} on_job;

static const burl_item *item_of(const on_job *job, size_t i) {
  return burl_dataset_get_item(job->dataset, job->good[i % job->count]);
}

/* FOLDER/PART/KIND/NUMBER+suffix; freed by the caller. */
static char *name_of(const on_job *job, const char *part, burl_put kind, size_t i,
                     const char *suffix) {
  char name[96];
  snprintf(name, sizeof name, "%s/%s/%03u%s", part, burl_put_get_name(kind), (unsigned)i, suffix);
  return burl_cli_join(job->folder, name, "");
}

/* Image i of a kind lies on the (i + kind)-th good image, and may get a patch of the next. */
static burl_status put(const on_job *job, burl_image *image, burl_image *mask, burl_put kind,
                       size_t i, burl_diag *diag) {
  burl_image other = {0};
  const burl_item *item = item_of(job, i + (size_t)kind);
  burl_put_options options = {.kind = kind, .seed = job->seed, .index = i, .strength = 1.0};
  burl_status status = burl_image_load(image, item->path, diag);
  if (status != BURL_OK) return status;
  if (kind == BURL_PUT_EXCHANGED)
    status = burl_image_load(&other, item_of(job, i + (size_t)kind + 1)->path, diag);
  if (status == BURL_OK) {
    status = burl_synth_put(image, mask, &other, &options);
    if (status != BURL_OK)
      burl_cli_diagnose(diag, status, item->path,
                        "Give 8- or 16-bit images of 32 pixels a side and more, all of one kind.",
                        "cannot take a defect (%s): %s", burl_put_get_name(kind),
                        burl_status_get_text(status));
  }
  burl_image_free(&other);
  return status;
}

static burl_status save(const on_job *job, const burl_image *image, const burl_image *mask,
                        burl_put kind, size_t i, burl_diag *diag) {
  char *path = name_of(job, "test", kind, i, ".png");
  char *truth = name_of(job, "ground_truth", kind, i, "_mask.png");
  burl_status status = path && truth ? BURL_OK : burl_cli_no_memory(diag);
  if (status == BURL_OK) status = burl_image_save_png(image, path, diag);
  if (status == BURL_OK) status = burl_image_save_png(mask, truth, diag);
  free(path);
  free(truth);
  return status;
}

/* One defect. What is wrong with an image is told and counted; a failure to write ends it all. */
static burl_status make(on_job *job, burl_put kind, size_t i, burl_diag *diag) {
  burl_image image = {0}, mask = {0};
  burl_diag problem = {0};
  burl_status status = put(job, &image, &mask, kind, i, &problem);
  if (status == BURL_OK) {
    status = save(job, &image, &mask, kind, i, diag);
  } else if (status == BURL_ERR_MEMORY) {
    *diag = problem;
  } else {
    job->failed++;
    job->observer->problem(job->observer->context, &problem);
    status = BURL_OK;
  }
  burl_image_free(&image);
  burl_image_free(&mask);
  return status;
}

static burl_status make_all(on_job *job, burl_diag *diag) {
  size_t all = job->each * BURL_PUT_COUNT, done = 0;
  burl_status status = BURL_OK;
  for (int kind = 0; kind < BURL_PUT_COUNT; kind++)
    for (size_t i = 0; i < job->each && status == BURL_OK; i++) {
      status = make(job, (burl_put)kind, i, diag);
      job->observer->progress(job->observer->context, "putting defects", ++done, all);
    }
  return status;
}

static burl_status find_good(on_job *job, const char *data, burl_diag *diag) {
  size_t items = burl_dataset_get_count(job->dataset);
  job->good = malloc((items + 1) * sizeof *job->good);
  if (!job->good) return burl_cli_no_memory(diag);
  for (size_t i = 0; i < items; i++) {
    const burl_item *item = burl_dataset_get_item(job->dataset, i);
    if (item->split == BURL_SPLIT_TRAIN && !item->defective) job->good[job->count++] = i;
  }
  if (job->count > 0) return BURL_OK;
  return burl_cli_diagnose(diag, BURL_ERR_DATA, data,
                           "Name a folder of good images, or a data set with train/good.",
                           "has no good image to put defects on");
}

/* Nothing is overwritten: the folder is new or empty of what is to be written. */
static burl_status check_folder(const on_job *job, burl_diag *diag) {
  const char *const parts[] = {"test", "ground_truth"};
  for (size_t p = 0; p < 2; p++) {
    char *path = burl_cli_join(job->folder, parts[p], "");
    if (!path) return burl_cli_no_memory(diag);
    int there = burl_cli_exists(path);
    if (there)
      burl_cli_diagnose(diag, BURL_ERR_IO, path, "Name a new folder or remove this one.",
                        "is there already; nothing is overwritten, nothing was written");
    free(path);
    if (there) return BURL_ERR_IO;
  }
  return burl_cli_make_folder(job->folder, diag);
}

int burl_cli_run_synth_on(const cli_values *values) {
  const cli_value *given = values->option;
  const char *data = given[CLI_ON].text;
  const cli_id drawn[] = {CLI_WEAVE,     CLI_PRINT, CLI_REPEAT, CLI_TRAIN,
                          CLI_TEST_GOOD, CLI_SIZE,  CLI_COLOUR};
  for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
    if (given[drawn[i]].given)
      return burl_cli_misuse("synth",
                             "--on takes its images from %s: of the other options only "
                             "--per-defect, --seed and --quiet go with it",
                             data);
  if (given[CLI_PER_DEFECT].whole == 0)
    return burl_cli_misuse("synth", "there is nothing to draw: --per-defect is 0");
  cli_console console;
  burl_cli_console_start(&console, given[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  on_job job = {.observer = &observer,
                .each = (size_t)given[CLI_PER_DEFECT].whole,
                .folder = given[CLI_OUTPUT].text,
                .seed = given[CLI_SEED].whole};
  burl_status status = burl_dataset_load(&dataset, data, &observer, &diag);
  job.dataset = dataset;
  if (status == BURL_OK) status = find_good(&job, data, &diag);
  if (status == BURL_OK) status = check_folder(&job, &diag);
  if (status == BURL_OK) status = make_all(&job, &diag);
  burl_dataset_free(dataset);
  free(job.good);
  if (status != BURL_OK) return burl_cli_fail(&console, &diag);
  size_t made = job.each * BURL_PUT_COUNT - job.failed;
  if (!console.quiet)
    printf("%zu image%s with defects: %s\n", made, burl_cli_plural(made), job.folder);
  return burl_cli_count_left_out(&console, job.failed, made + job.failed);
}
