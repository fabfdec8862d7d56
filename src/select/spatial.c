/* Choosing whether positions count: a probe, candidate fits on the first three quarters of the good
 * images, synthetic defects on the last quarter.
 *
 * The last quarter is a run in sorted order: neighbours are often cut from one strip, and a strip
 * should not be on both sides. Of it at most MOST_HELD_OUT images are used, each with so many
 * rounds of defects that there are at least LEAST_UNITS units (an image in one round). A unit's
 * figure is its mean over the kinds of defects, its gain the difference to that of `none` on the
 * same image with the same defects; mean and standard error are over units.
 *
 * Positions are chosen where pixel AP gains LEAST_GAIN and two standard errors. The gain is small
 * where positions are useless, but rarely 0: two fits differ by a hundredth by their choice of
 * prototypes alone. And a position is not free: a second bank for each group, and an image that
 * cannot be placed well is judged wrongly. */
#include "encode/encoder_list.h"
#include "select/contest.h"
#include "select/probe.h"
#include <burl/select.h>

#include "base/diag.h"
#include "base/memory.h"
#include "dataset/dataset_part.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_IMAGES = 8, MOST_HELD_OUT = 12, LEAST_UNITS = 12 };
#define LEAST_GAIN 0.02
#define MOST_LOSS 0.01 /* of AUPRO */
/* Mean correlation of unrelated images is 0 give or take a few hundredths; of a panel that lies
 * under the camera always the same way it is most of the variance. */
#define LEAST_REGISTRATION 0.15

typedef struct selection {
  const burl_dataset *dataset;
  burl_fit_options options;
  burl_observer observer; /* of progress alone */
  burl_diag *diag;
  burl_dataset *good, *fitted, *held_out;
  burl_contest contest;
  burl_spatial tried[CONTEST_MODELS]; /* of the contest's models */
  burl_select_report report;
} selection;

static burl_status check_options(const burl_fit_options *o, burl_diag *diag) {
  burl_status status = burl_settings_check(&o->bank, diag);
  if (status == BURL_OK && (o->threads < 1 || o->threads > 256))
    status = burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "threads is %d, not between 1 and 256",
                       o->threads);
  return status;
}

/* The good training images; of them the first three quarters, and some of the last. */
static burl_status divide(selection *s) {
  size_t items = burl_dataset_get_count(s->dataset), n = 0;
  size_t *good = burl_alloc(items, sizeof *good), held[MOST_HELD_OUT];
  if (!good) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < items; i++) {
    const burl_item *item = burl_dataset_get_item(s->dataset, i);
    if (item->split == BURL_SPLIT_TRAIN && !item->defective) good[n++] = i;
  }
  size_t last = n / 4, count = last < MOST_HELD_OUT ? last : MOST_HELD_OUT;
  for (size_t i = 0; i < count; i++)
    held[i] = good[n - last + i * last / count];
  burl_status status = burl_dataset_take_part(&s->good, s->dataset, good, n);
  if (status == BURL_OK) status = burl_dataset_take_part(&s->fitted, s->dataset, good, n - last);
  if (status == BURL_OK) status = burl_dataset_take_part(&s->held_out, s->dataset, held, count);
  free(good);
  s->report.images = n;
  return status;
}

/* What cannot be fitted without some of the images (BURL_ERR_DATA) is no candidate. */
static burl_status fit_candidate(selection *s, burl_spatial spatial) {
  burl_contest *contest = &s->contest;
  burl_fit_options options = s->options;
  burl_encoder_list list;
  options.bank.spatial = spatial;
  options.gallery = options.heads = 0; /* positions are compared, on plain sums */
  burl_status status = burl_encoder_list_read(&list, options.encoder, options.layers, s->diag);
  if (status != BURL_OK) return status;
  if (list.entry[0].is_texture) options.encoder = NULL; /* networks are slow */
  status = burl_model_fit(&contest->model[contest->models], NULL, s->fitted, &options, &s->observer,
                          s->diag);
  if (status == BURL_OK) s->tried[contest->models++] = spatial;
  return status == BURL_ERR_DATA ? BURL_OK : status;
}

/* Sums over units; a unit is left out where the image could not be used. */
static void sum_up(selection *s, size_t m) {
  const burl_contest *c = &s->contest;
  burl_select_trial *trial = &s->report.trial[m];
  double n = 0.0, gain = 0.0, squares = 0.0, aupro_gain = 0.0;
  trial->spatial = s->tried[m];
  for (size_t unit = 0; unit < c->images * c->rounds; unit++) {
    double ap = 0.0, aupro = 0.0;
    if (isnan(c->ap[burl_contest_at(c, unit / c->rounds, unit % c->rounds, 0, m)])) continue;
    for (size_t k = 0; k < CONTEST_PUTS; k++) {
      size_t at = burl_contest_at(c, unit / c->rounds, unit % c->rounds, k, 0);
      trial->ap[k] += c->ap[at + m];
      trial->aupro[k] += c->aupro[at + m];
      ap += (c->ap[at + m] - c->ap[at]) / CONTEST_PUTS;
      aupro += (c->aupro[at + m] - c->aupro[at]) / CONTEST_PUTS;
    }
    n += 1.0, gain += ap, squares += ap * ap, aupro_gain += aupro;
  }
  if (n < 2.0) return;
  for (size_t k = 0; k < CONTEST_PUTS; k++)
    trial->ap[k] /= n, trial->aupro[k] /= n;
  trial->ap_gain = gain / n;
  trial->ap_error = sqrt(fmax(squares / n - gain / n * (gain / n), 0.0) / (n - 1.0));
  trial->aupro_gain = aupro_gain / n;
}

static int is_worth_it(const burl_select_trial *trial) {
  return trial->ap_gain >= LEAST_GAIN && trial->ap_gain >= 2.0 * trial->ap_error &&
         trial->aupro_gain >= -MOST_LOSS;
}

static double mean_ap(const burl_select_trial *trial) {
  double sum = 0.0;
  for (size_t k = 0; k < CONTEST_PUTS; k++)
    sum += trial->ap[k];
  return sum / CONTEST_PUTS;
}

static void decide(selection *s) {
  burl_select_report *r = &s->report;
  const burl_select_trial *best = NULL, *told = &r->trial[1];
  r->trials = s->contest.models;
  r->held_out = s->contest.images;
  for (size_t m = 0; m < r->trials; m++)
    sum_up(s, m);
  for (size_t m = 1; m < r->trials; m++) {
    if (is_worth_it(&r->trial[m]) && (!best || r->trial[m].ap_gain > best->ap_gain))
      best = &r->trial[m];
    if (r->trial[m].ap_gain > told->ap_gain) told = &r->trial[m];
  }
  if (best) told = best;
  r->chosen = best ? best->spatial : BURL_SPATIAL_NONE;
  snprintf(r->text, sizeof r->text,
           "%s: pixel AP %.3f with %s positions, %.3f without (%+.3f, standard error %.3f; "
           "synthetic defects on %zu good images)",
           burl_spatial_get_name(r->chosen), mean_ap(told), burl_spatial_get_name(told->spatial),
           mean_ap(&r->trial[0]), told->ap_gain, told->ap_error, r->held_out);
}

static void settle_for_none(selection *s, const char *reason) {
  s->report.chosen = BURL_SPATIAL_NONE;
  snprintf(s->report.text, sizeof s->report.text, "none: %s", reason);
}

static burl_status compare(selection *s) {
  burl_contest *contest = &s->contest;
  burl_status status = fit_candidate(s, BURL_SPATIAL_NONE);
  int fits = contest->models == 1;
  if (status == BURL_OK && fits && s->report.registration >= LEAST_REGISTRATION)
    status = fit_candidate(s, BURL_SPATIAL_GRID);
  if (status == BURL_OK && fits && s->report.repeats > 0)
    status = fit_candidate(s, BURL_SPATIAL_PERIODIC);
  if (status != BURL_OK) return status;
  if (contest->models < 2) {
    settle_for_none(s, "three quarters of the good images are too few to compare positions");
    return BURL_OK;
  }
  contest->held_out = s->held_out;
  contest->seed = s->options.bank.seed;
  contest->threads = s->options.threads;
  size_t images = burl_dataset_get_count(s->held_out);
  contest->rounds = (LEAST_UNITS + images - 1) / images;
  status = burl_contest_run(contest, &s->observer, s->diag);
  if (status == BURL_OK) decide(s);
  return status;
}

static burl_status look_and_compare(selection *s) {
  burl_probe probe;
  burl_status status = burl_probe_look(&probe, s->good, s->options.threads, &s->observer, s->diag);
  if (status != BURL_OK) return status;
  s->report.repeats = probe.repeats;
  s->report.strength = probe.strength;
  s->report.registration = probe.registration;
  if (probe.repeats > 0 || probe.registration >= LEAST_REGISTRATION) return compare(s);
  settle_for_none(s, "no print repeats, and images do not show the same at the same place");
  return BURL_OK;
}

static burl_status choose(selection *s) {
  if (s->options.bank.method == BURL_METHOD_PRADOT) {
    settle_for_none(s, "pradot has positions of its own");
    return BURL_OK;
  }
  burl_status status = divide(s);
  if (status != BURL_OK) return burl_fail_memory(s->diag, NULL);
  if (s->report.images >= LEAST_IMAGES) return look_and_compare(s);
  settle_for_none(s, "fewer than 8 good images are too few to compare positions");
  return BURL_OK;
}

burl_status burl_select_spatial(burl_spatial *chosen, burl_select_report *report,
                                const burl_dataset *dataset, const burl_fit_options *options,
                                const burl_observer *observer, burl_diag *diag) {
  burl_diag unheard; /* candidates that cannot be fitted are no failure */
  burl_status status = check_options(options, diag);
  if (status != BURL_OK) return status;
  selection *s = burl_alloc_zero(1, sizeof *s);
  if (!s) return burl_fail_memory(diag, NULL);
  s->dataset = dataset, s->options = *options, s->diag = &unheard;
  if (observer) s->observer = *observer;
  s->observer.problem = NULL;
  status = choose(s);
  if (status == BURL_OK) {
    *chosen = s->report.chosen;
    if (report) *report = s->report;
  } else if (diag) {
    *diag = unheard;
  }
  burl_contest_close(&s->contest);
  burl_dataset_free(s->good);
  burl_dataset_free(s->fitted);
  burl_dataset_free(s->held_out);
  free(s);
  return status;
}
