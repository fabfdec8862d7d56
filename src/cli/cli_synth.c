/* burl synth: a data set is a list of tasks, each one image with its name and its place in the
 * random sequence; threads take them in order. Before the first is drawn, all names are looked at:
 * nothing is overwritten. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/synth.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_SIDE 512 /* of printed images unless a size is given: 2.5 of the longest repeats */
#define ALL_WEAVES BURL_WEAVE_COUNT /* "all" follows the weaves in the option table */

/* Images of a part of a data set have numbers of their own, so that more training images do not
 * change the test images. */
#define INDEX_STEP ((uint64_t)1 << 20)

typedef struct synth_task {
  char *image, *mask; /* mask NULL for good cloth */
  burl_synth_options options;
} synth_task;

typedef struct synth_job {
  synth_task *tasks;
  size_t count;
  const burl_observer *observer;
  pthread_mutex_t lock; /* over all below */
  size_t next, done, failed;
  burl_status status;
  burl_diag diag;
} synth_job;

void burl_cli_preset_synth(cli_values *values) {
  burl_synth_options options = burl_synth_default_options();
  cli_value *option = values->option;
  option[CLI_WEAVE].choice = (size_t)options.weave;
  option[CLI_PRINT].choice = (size_t)options.print;
  option[CLI_REPEAT].whole = options.repeat;
  option[CLI_TRAIN].whole = 24;
  option[CLI_TEST_GOOD].whole = 8;
  option[CLI_PER_DEFECT].whole = 2;
  option[CLI_SIZE].height = options.height;
  option[CLI_SIZE].width = options.width;
  option[CLI_SEED].whole = options.seed;
  const cli_id ids[] = {CLI_WEAVE,     CLI_PRINT,      CLI_REPEAT, CLI_TRAIN,
                        CLI_TEST_GOOD, CLI_PER_DEFECT, CLI_SIZE,   CLI_SEED};
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
    option[ids[i]].preset = 1;
}

/* FOLDER/part/label/NUMBER+suffix with at least three digits, as many for all of `count`. */
static char *make_name(const char *folder, const char *part, const char *label, size_t i,
                       size_t count, const char *suffix) {
  char name[160];
  int digits = count <= 1000 ? 3 : count <= 10000 ? 4 : 5;
  snprintf(name, sizeof name, "%.20s/%.40s/%0*u%.20s", part, label, digits, (unsigned)i, suffix);
  return burl_cli_join(folder, name, "");
}

static int add_tasks(synth_job *job, const char *folder, const char *part,
                     const burl_synth_options *options, size_t count) {
  const char *label = burl_defect_get_name(options->defect);
  int defective = options->defect != BURL_DEFECT_NONE;
  for (size_t i = 0; i < count; i++) {
    synth_task *task = &job->tasks[job->count++];
    task->options = *options;
    task->options.index += i;
    task->image = make_name(folder, part, label, i, count, ".png");
    if (defective) task->mask = make_name(folder, "ground_truth", label, i, count, "_mask.png");
    if (!task->image || (defective && !task->mask)) return 0;
  }
  return 1;
}

/* All but weave, defect and index. */
static burl_synth_options options_of(const cli_values *values) {
  const cli_value *given = values->option;
  burl_synth_options options = burl_synth_default_options();
  options.height = given[CLI_SIZE].height;
  options.width = given[CLI_SIZE].width;
  options.colour = given[CLI_COLOUR].given;
  options.seed = given[CLI_SEED].whole;
  options.print = (burl_print)given[CLI_PRINT].choice;
  options.repeat = (size_t)given[CLI_REPEAT].whole;
  if (options.print != BURL_PRINT_NONE && !given[CLI_SIZE].given)
    options.height = options.width = PRINT_SIDE;
  return options;
}

/* Plain cloth is shown with faults of yarns and light, printed cloth with those of the print. */
static int belongs(burl_defect defect, burl_print print) {
  return burl_defect_needs_print(defect) == (print != BURL_PRINT_NONE);
}

/* The tasks of one weave. */
static int add_data_set(synth_job *job, const cli_values *values, const char *folder,
                        burl_weave weave) {
  const cli_value *given = values->option;
  burl_synth_options options = options_of(values);
  options.weave = weave;
  if (!add_tasks(job, folder, "train", &options, (size_t)given[CLI_TRAIN].whole)) return 0;
  options.index = INDEX_STEP;
  if (!add_tasks(job, folder, "test", &options, (size_t)given[CLI_TEST_GOOD].whole)) return 0;
  for (int d = BURL_DEFECT_NONE + 1; d < BURL_DEFECT_COUNT; d++) {
    if (!belongs((burl_defect)d, options.print)) continue;
    options.defect = (burl_defect)d;
    options.index = INDEX_STEP * (uint64_t)(d + 1);
    if (!add_tasks(job, folder, "test", &options, (size_t)given[CLI_PER_DEFECT].whole)) return 0;
  }
  return 1;
}

static burl_status plan(synth_job *job, const cli_values *values, burl_diag *diag) {
  const cli_value *given = values->option;
  const char *folder = given[CLI_OUTPUT].text;
  size_t first = given[CLI_WEAVE].choice, last = first;
  int all = first == ALL_WEAVES;
  if (all) {
    first = 0;
    last = BURL_WEAVE_COUNT - 1;
  }
  size_t each = (size_t)(given[CLI_TRAIN].whole + given[CLI_TEST_GOOD].whole +
                         given[CLI_PER_DEFECT].whole * (BURL_DEFECT_COUNT - 1));
  job->tasks = calloc(each * (last - first + 1) + 1, sizeof *job->tasks);
  int good = job->tasks != NULL;
  for (size_t w = first; good && w <= last; w++) {
    burl_weave weave = (burl_weave)w;
    char *inner = all ? burl_cli_join(folder, burl_weave_get_name(weave), "") : NULL;
    good = (inner || !all) && add_data_set(job, values, all ? inner : folder, weave);
    free(inner);
  }
  return good ? BURL_OK : burl_cli_no_memory(diag);
}

static burl_status check_names(const synth_job *job, const char *folder, burl_diag *diag) {
  for (size_t i = 0; i < job->count; i++) {
    const synth_task *task = &job->tasks[i];
    const char *there = burl_cli_exists(task->image)                ? task->image
                        : task->mask && burl_cli_exists(task->mask) ? task->mask
                                                                    : NULL;
    if (there)
      return burl_cli_diagnose(diag, BURL_ERR_IO, there, "Name a new folder or remove this one.",
                               "is there already; nothing is overwritten, nothing was written");
  }
  return burl_cli_make_folder(folder, diag);
}

static burl_status draw(const synth_task *task, burl_diag *diag) {
  burl_image image = {0}, mask = {0};
  burl_status status = burl_synth_draw(&image, &mask, &task->options);
  if (status != BURL_OK)
    burl_cli_diagnose(diag, status, task->image, NULL, "cannot be drawn: %s",
                      burl_status_get_text(status));
  if (status == BURL_OK) status = burl_image_save_png(&image, task->image, diag);
  if (status == BURL_OK && task->mask) status = burl_image_save_png(&mask, task->mask, diag);
  burl_image_free(&image);
  burl_image_free(&mask);
  return status;
}

/* Records a finished task; the failure reported is that of the earliest failed task. */
static void finish(synth_job *job, size_t index, burl_status status, const burl_diag *diag) {
  if (status == BURL_OK) {
    job->done++;
    job->observer->progress(job->observer->context, "drawing", job->done, job->count);
  } else if (job->status == BURL_OK || index < job->failed) {
    job->status = status;
    job->failed = index;
    job->diag = *diag;
  }
}

static void *work(void *argument) {
  synth_job *job = argument;
  pthread_mutex_lock(&job->lock);
  while (job->status == BURL_OK && job->next < job->count) {
    size_t index = job->next++;
    burl_diag diag = {0};
    pthread_mutex_unlock(&job->lock);
    burl_status status = draw(&job->tasks[index], &diag);
    pthread_mutex_lock(&job->lock);
    finish(job, index, status, &diag);
  }
  pthread_mutex_unlock(&job->lock);
  return NULL;
}

/* Where a thread cannot be made the others do the work. */
static burl_status draw_all(synth_job *job, int threads, burl_diag *diag) {
  pthread_t made[256];
  int count = 0;
  if (pthread_mutex_init(&job->lock, NULL) != 0) return burl_cli_no_memory(diag);
  while (count < threads - 1 && pthread_create(&made[count], NULL, work, job) == 0)
    count++;
  work(job);
  for (int i = 0; i < count; i++)
    pthread_join(made[i], NULL);
  pthread_mutex_destroy(&job->lock);
  if (job->status != BURL_OK) *diag = job->diag;
  return job->status;
}

/* What the reader of options cannot see: CLI_DONE if the options go together. */
static int check_options(const cli_values *values) {
  const cli_value *given = values->option;
  burl_synth_options options = options_of(values);
  double repeat[2] = {0};
  if (given[CLI_TRAIN].whole + given[CLI_TEST_GOOD].whole + given[CLI_PER_DEFECT].whole == 0)
    return burl_cli_misuse("synth", "there is nothing to draw: all numbers of images are 0");
  if (options.repeat && options.print == BURL_PRINT_NONE)
    return burl_cli_misuse("synth", "--repeat is that of a print: name one with --print");
  if (burl_synth_get_repeat(repeat, &options) != BURL_OK)
    return burl_cli_misuse("synth", "--repeat must be 0 or from %d to %d, not %zu",
                           BURL_REPEAT_LEAST, BURL_REPEAT_MOST, options.repeat);
  size_t least[2]; /* width and height: two repeats, and never less than any image */
  for (int axis = 0; axis < 2; axis++)
    least[axis] = repeat[axis] > 0 ? (size_t)(2 * repeat[axis]) : 32;
  if (given[CLI_PER_DEFECT].whole > 0 && (least[0] > options.width || least[1] > options.height))
    return burl_cli_misuse("synth",
                           "--size must hold two repeats of the print for its defects to be seen: "
                           "%zux%zu or more, or --per-defect 0",
                           least[1], least[0]);
  return CLI_DONE;
}

int burl_cli_run_synth(const cli_values *values) {
  const cli_value *given = values->option;
  if (given[CLI_ON].given) return burl_cli_run_synth_on(values);
  const char *folder = given[CLI_OUTPUT].text;
  int wrong = check_options(values);
  if (wrong != CLI_DONE) return wrong;
  cli_console console;
  burl_cli_console_start(&console, given[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  synth_job job = {.observer = &observer, .status = BURL_OK};
  burl_diag diag = {0};
  burl_status status = plan(&job, values, &diag);
  if (status == BURL_OK) status = check_names(&job, folder, &diag);
  if (status == BURL_OK) status = draw_all(&job, (int)given[CLI_THREADS].whole, &diag);
  for (size_t i = 0; i < job.count; i++) {
    free(job.tasks[i].image);
    free(job.tasks[i].mask);
  }
  free(job.tasks);
  if (status != BURL_OK) return burl_cli_fail(&console, &diag);
  if (!console.quiet)
    printf("%zu image%s drawn: %s\n", job.count, burl_cli_plural(job.count), folder);
  return CLI_DONE;
}
