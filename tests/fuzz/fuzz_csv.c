/* CSV lists: whatever the bytes, every row handed out must keep its promises. */
#include "dataset/list.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int promise) {
  if (!promise) abort();
}

static burl_status visit(void *context, const burl_list_row *row, burl_diag *diag) {
  int64_t *line = context;
  (void)diag;
  require(row->line > *line);
  *line = row->line;
  require(row->path[0] && row->label[0] && (!row->mask || row->mask[0]));
  require(row->split == BURL_SPLIT_TRAIN || row->split == BURL_SPLIT_TEST);
  require(!strchr(row->label, '/') && strlen(row->label) < 256);
  char *name = malloc(strlen(row->path) + 1);
  require(name != NULL);
  burl_list_get_name(name, row->path);
  require(name[0] != '/' && strncmp(name, "../", 3) != 0 && !strstr(name, "/../"));
  free(name);
  return BURL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t line = 0;
  burl_diag diag = {0};
  burl_status status = burl_list_parse(data, size, "list.csv", visit, &line, NULL, &diag);
  require(status == BURL_OK || status == BURL_ERR_FORMAT);
  require(status == BURL_OK || (diag.status == status && diag.reason[0] != '\0'));
  return 0;
}
