/* cli_gallery.h: what a model keeps of the good images, in the form that reports take. */
#ifndef BURL_CLI_GALLERY_H
#define BURL_CLI_GALLERY_H

#include <burl/model_explain.h>
#include <burl/report_gallery.h>

typedef struct cli_gallery {
  burl_report_prototypes prototypes; /* members by their numbers in the model */
  burl_report_member *members;
  burl_model_member *info; /* (members) */
} cli_gallery;

/* Of a model that has one; without it `self` is empty. Borrows from the model. */
burl_status burl_cli_gallery_new(cli_gallery *self, const burl_model *model, burl_diag *diag);
void burl_cli_gallery_free(cli_gallery *self);

/* Writes contact sheets, gallery.csv and gallery.html; the page comes last. BURL_ERR_DATA where the
 * model at model_path has no gallery. */
burl_status burl_cli_gallery_save(const burl_model *model, const char *model_path,
                                  const char *folder, burl_diag *diag);

#endif
