/* Explanations: which members, which files, and the hottest patches of a report. */
#include "cli_explain.h"

#include "cli_console.h"
#include "cli_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const suffixes[] = {".assignment.npy", ".assignment.png"};

/* The number of a member that is there, SIZE_MAX if there is none of that name. */
static size_t find_member(const burl_model *model, const char *name, size_t length) {
  for (size_t m = 0; m < burl_model_get_member_count(model); m++) {
    burl_model_member member;
    burl_model_get_member(model, m, &member);
    if (member.prototypes > 0 && strlen(member.name) == length &&
        memcmp(member.name, name, length) == 0)
      return m;
  }
  return SIZE_MAX;
}

static int has(const cli_explain *self, size_t member) {
  for (size_t i = 0; i < self->count; i++)
    if (self->members[i] == member) return 1;
  return 0;
}

static void take_all(cli_explain *self, const burl_model *model) {
  for (size_t m = 0; m < burl_model_get_member_count(model); m++) {
    burl_model_member member;
    burl_model_get_member(model, m, &member);
    if (member.prototypes > 0) self->members[self->count++] = m;
  }
}

static burl_status unknown_member(const burl_model *model, const char *name, size_t length,
                                  burl_diag *diag) {
  char known[400] = "all";
  for (size_t m = 0; m < burl_model_get_member_count(model); m++) {
    burl_model_member member;
    burl_model_get_member(model, m, &member);
    size_t used = strlen(known);
    if (member.prototypes > 0) snprintf(known + used, sizeof known - used, ", %s", member.name);
  }
  return burl_cli_diagnose(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                           "--explain takes some of %s, not \"%.*s\"", known,
                           (int)(length < 40 ? length : 40), name);
}

burl_status burl_cli_explain_new(cli_explain *self, const burl_model *model, const char *text,
                                 burl_diag *diag) {
  *self = (cli_explain){0};
  if (!text) return BURL_OK;
  burl_model_info info;
  burl_model_get_info(model, &info);
  if (info.options.bank.method == BURL_METHOD_PRADOT)
    return burl_cli_diagnose(diag, BURL_ERR_UNSUPPORTED, NULL, "Fit by another method.",
                             "--explain: models of method pradot do not explain patches");
  self->members = calloc(burl_model_get_member_count(model) + 1, sizeof *self->members);
  if (!self->members) return burl_cli_no_memory(diag);
  if (strcmp(text, "all") == 0) {
    take_all(self, model);
    return BURL_OK;
  }
  for (;;) {
    size_t n = strcspn(text, ","), member = find_member(model, text, n);
    if (member == SIZE_MAX) return unknown_member(model, text, n, diag);
    if (!has(self, member)) self->members[self->count++] = member;
    if (!text[n]) return BURL_OK;
    text += n + 1;
  }
}

void burl_cli_explain_free(cli_explain *self) {
  free(self->members);
  *self = (cli_explain){0};
}

char *burl_cli_explain_path(const cli_explain *self, size_t i, int which, const burl_model *model,
                            const char *folder, const char *stem) {
  char tail[96];
  burl_model_member member;
  burl_model_get_member(model, self->members[i], &member);
  snprintf(tail, sizeof tail, ".explain/%s%s", member.name, suffixes[which]);
  return burl_cli_join(folder, stem, tail);
}

burl_status burl_cli_explain_save(const cli_explain *self, const burl_model *model,
                                  const burl_scored *scored, const char *folder, const char *stem,
                                  int pictures, burl_diag *diag) {
  burl_status status = BURL_OK;
  for (size_t i = 0; i < self->count; i++)
    for (int which = 0; which <= (pictures ? 1 : 0) && status == BURL_OK; which++) {
      const burl_explanation *e = &scored->explained[i];
      burl_model_member member;
      burl_model_get_member(model, e->member, &member);
      char *path = burl_cli_explain_path(self, i, which, model, folder, stem);
      if (!path) return burl_cli_no_memory(diag);
      if (which == 0)
        status = burl_explanation_save_npy(e, path, diag);
      else
        status = burl_report_save_assignment(scored->image, e->nearest, e->rows, e->cols,
                                             member.stride, path, diag);
      free(path);
    }
  return status;
}

static burl_status explain_one(burl_report *report, burl_scorer *scorer, const cli_gallery *gallery,
                               const burl_item *item, const burl_report_shown *shown,
                               burl_diag *diag) {
  burl_image image = {0};
  burl_reason reason;
  burl_status status = burl_image_load(&image, item->path, diag);
  if (status != BURL_OK) return status;
  status = burl_scorer_find_reason(scorer, &reason, &image, shown->y, shown->x, diag);
  if (status == BURL_OK) {
    const burl_report_member *member = &gallery->members[reason.member];
    burl_report_match match = {.member = member->name,
                               .number = reason.prototype,
                               .prototype = &member->prototypes[reason.prototype],
                               .y = reason.y,
                               .x = reason.x,
                               .distance = reason.distance,
                               .excess = reason.excess};
    status = burl_report_explain(report, shown->added, &image, &match);
    if (status != BURL_OK) burl_cli_no_memory(diag);
  }
  burl_image_free(&image);
  return status;
}

burl_status burl_cli_explain_shown(burl_report *report, size_t most, double threshold,
                                   const burl_model *model, const cli_gallery *gallery,
                                   const burl_dataset *dataset, const size_t *items, int threads,
                                   burl_diag *diag) {
  if (gallery->prototypes.count == 0) return BURL_OK;
  burl_report_shown *shown = calloc(most, sizeof *shown);
  burl_scorer *scorer = NULL;
  burl_status status = shown ? burl_scorer_new(&scorer, model, threads) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    size_t count = burl_report_get_shown(report, shown, threshold);
    for (size_t i = 0; i < count && status == BURL_OK; i++)
      status = explain_one(report, scorer, gallery,
                           burl_dataset_get_item(dataset, items[shown[i].added]), &shown[i], diag);
  } else {
    burl_cli_no_memory(diag);
  }
  burl_scorer_free(scorer);
  free(shown);
  return status;
}
