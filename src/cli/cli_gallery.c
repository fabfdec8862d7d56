/* Galleries: from the model to the report. */
#include "cli_gallery.h"

#include "cli_console.h"
#include "cli_paths.h"

#include <stdio.h>
#include <stdlib.h>

static burl_report_prototype prototype_of(const burl_model *model, const burl_model_member *member,
                                          size_t number, size_t k) {
  burl_exemplar e;
  burl_model_get_exemplar(model, number, k, &e);
  return (burl_report_prototype){.mass = (double)member->mass[k],
                                 .radius = (double)member->radius[k],
                                 .image = e.image,
                                 .y = e.y,
                                 .x = e.x,
                                 .side = e.side,
                                 .distance = e.distance,
                                 .thumb = e.thumb,
                                 .pixels = e.pixels};
}

static burl_status add_member(cli_gallery *self, const burl_model *model, size_t m,
                              burl_diag *diag) {
  burl_model_member *info = &self->info[m];
  burl_model_get_member(model, m, info);
  burl_report_prototype *list = calloc(info->prototypes + 1, sizeof *list);
  if (!list) return burl_cli_no_memory(diag);
  for (size_t k = 0; k < info->prototypes; k++)
    list[k] = prototype_of(model, info, m, k);
  self->members[m] = (burl_report_member){
      .name = info->name, .stride = info->stride, .count = info->prototypes, .prototypes = list};
  return BURL_OK;
}

burl_status burl_cli_gallery_new(cli_gallery *self, const burl_model *model, burl_diag *diag) {
  *self = (cli_gallery){0};
  if (!burl_model_has_gallery(model)) return BURL_OK;
  size_t count = burl_model_get_member_count(model);
  self->members = calloc(count, sizeof *self->members);
  self->info = calloc(count, sizeof *self->info);
  burl_status status = self->members && self->info ? BURL_OK : burl_cli_no_memory(diag);
  if (status == BURL_OK) self->prototypes = (burl_report_prototypes){count, self->members};
  for (size_t m = 0; m < count && status == BURL_OK; m++)
    status = add_member(self, model, m, diag);
  if (status != BURL_OK) burl_cli_gallery_free(self);
  return status;
}

/* Lists were made here, though reports only read them. */
void burl_cli_gallery_free(cli_gallery *self) {
  for (size_t m = 0; m < self->prototypes.count; m++)
    free((void *)(uintptr_t)self->members[m].prototypes);
  free(self->members);
  free(self->info);
  *self = (cli_gallery){0};
}

/* Paths are made twice, to be checked before anything is written. `write` NULL: only checked. */
static burl_status put_file(const char *folder, const char *name, const char *suffix,
                            const cli_inputs *inputs, const cli_gallery *gallery, size_t member,
                            burl_status (*write)(const cli_gallery *, size_t, const char *,
                                                 burl_diag *),
                            burl_diag *diag) {
  char *path = burl_cli_join(folder, name, suffix);
  if (!path) return burl_cli_no_memory(diag);
  burl_status status = BURL_OK;
  if (write) {
    status = write(gallery, member, path, diag);
  } else {
    status = burl_cli_inputs_protect(inputs, path, diag);
    if (status == BURL_OK) status = burl_cli_check_file(path, diag);
  }
  free(path);
  return status;
}

static burl_status write_sheet(const cli_gallery *gallery, size_t member, const char *path,
                               burl_diag *diag) {
  return burl_report_save_sheet(&gallery->members[member], path, diag);
}

static burl_status write_table(const cli_gallery *gallery, size_t member, const char *path,
                               burl_diag *diag) {
  (void)member;
  return burl_report_save_prototypes(&gallery->prototypes, path, diag);
}

static burl_status write_page(const cli_gallery *gallery, size_t member, const char *path,
                              burl_diag *diag) {
  (void)member;
  return burl_report_save_gallery(&gallery->prototypes, "What the model knows", NULL, path, diag);
}

static burl_status put_files(const cli_gallery *gallery, const char *folder,
                             const cli_inputs *inputs, int writing, burl_diag *diag) {
  burl_status status = BURL_OK;
  for (size_t m = 0; m < gallery->prototypes.count && status == BURL_OK; m++)
    if (gallery->members[m].count > 0)
      status = put_file(folder, gallery->members[m].name, ".png", inputs, gallery, m,
                        writing ? write_sheet : NULL, diag);
  if (status == BURL_OK)
    status =
        put_file(folder, "gallery", ".csv", inputs, gallery, 0, writing ? write_table : NULL, diag);
  if (status == BURL_OK)
    status =
        put_file(folder, "gallery", ".html", inputs, gallery, 0, writing ? write_page : NULL, diag);
  return status;
}

burl_status burl_cli_gallery_save(const burl_model *model, const char *model_path,
                                  const char *folder, burl_diag *diag) {
  burl_model_info info;
  burl_model_get_info(model, &info);
  if (!burl_model_has_gallery(model))
    return burl_cli_diagnose(diag, BURL_ERR_DATA, model_path,
                             info.options.bank.method == BURL_METHOD_PRADOT
                                 ? "Models of method pradot keep none."
                                 : "Fit it again, without --no-gallery; an update drops them.",
                             "keeps no examples of what it learned from");
  cli_gallery gallery;
  cli_inputs inputs = {0};
  burl_status status = burl_cli_gallery_new(&gallery, model, diag);
  if (status != BURL_OK) return status;
  status = burl_cli_make_folder(folder, diag);
  if (status == BURL_OK) status = burl_cli_inputs_collect(&inputs, NULL, &model_path, 1, diag);
  if (status == BURL_OK) status = put_files(&gallery, folder, &inputs, 0, diag);
  if (status == BURL_OK) status = put_files(&gallery, folder, &inputs, 1, diag);
  burl_cli_inputs_free(&inputs);
  burl_cli_gallery_free(&gallery);
  return status;
}
