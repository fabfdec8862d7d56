/* cli_explain.h: which prototype explains what, for score and for eval. */
#ifndef BURL_CLI_EXPLAIN_H
#define BURL_CLI_EXPLAIN_H

#include "cli_gallery.h"

/* The members that --explain asks for. */
typedef struct cli_explain {
  size_t *members; /* (count) */
  size_t count;
} cli_explain;

/* From "all" or "level0,fine"; NULL asks for none. BURL_ERR_ARGUMENT where the model has no such
 * member. */
burl_status burl_cli_explain_new(cli_explain *self, const burl_model *model, const char *text,
                                 burl_diag *diag);
void burl_cli_explain_free(cli_explain *self);

/* Output `which` (0: .npy, 1: .png) of member i: FOLDER/STEM.explain/MEMBER.assignment.*; freed by
 * the caller, NULL where there is no memory. */
char *burl_cli_explain_path(const cli_explain *self, size_t i, int which, const burl_model *model,
                            const char *folder, const char *stem);
/* Writes both, or without pictures the first, for every member asked for. */
burl_status burl_cli_explain_save(const cli_explain *self, const burl_model *model,
                                  const burl_scored *scored, const char *folder, const char *stem,
                                  int pictures, burl_diag *diag);

/* Looks once more at the images that the report will show and says what their hottest patches were
 * compared with. items: of the data set, in the order that they were added to the report; room for
 * `most` images. */
burl_status burl_cli_explain_shown(burl_report *report, size_t most, double threshold,
                                   const burl_model *model, const cli_gallery *gallery,
                                   const burl_dataset *dataset, const size_t *items, int threads,
                                   burl_diag *diag);

#endif
