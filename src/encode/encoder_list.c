/* "texture,resnet18:FILE": names of encoders, networks with the file of their weights. */
#include "encode/encoder_list.h"

#include "base/diag.h"

#include <string.h>

static burl_status malformed(burl_diag *diag, const char *text, const char *why) {
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL,
                   "Name them as \"texture\", \"resnet18:FILE\" or \"texture,resnet18:FILE\".",
                   "the list of encoders \"%.200s\" %s", text, why);
}

static int is_there(const burl_encoder_list *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (list->entry[i].is_texture ? strcmp(name, "texture") == 0
                                  : strcmp(name, list->entry[i].network.name) == 0)
      return 1;
  return 0;
}

static burl_status add_texture(burl_encoder_list *list) {
  memmove(&list->entry[1], &list->entry[0], list->count * sizeof list->entry[0]);
  memset(&list->entry[0], 0, sizeof list->entry[0]);
  list->entry[0].is_texture = 1;
  list->count++;
  return BURL_OK;
}

/* One entry, `n` characters at `text`. */
static burl_status add(burl_encoder_list *list, const char *text, size_t n, const char *layers,
                       const char *all, burl_diag *diag) {
  burl_network_choice choice = {0};
  char name[sizeof choice.name];
  const char *colon = memchr(text, ':', n);
  size_t length = colon ? (size_t)(colon - text) : n;
  if (length == 0 || length >= sizeof name) return malformed(diag, all, "holds no such name");
  memcpy(name, text, length);
  name[length] = '\0';
  if (is_there(list, name)) return malformed(diag, all, "names one twice");
  if (list->count == BURL_MAX_PARTS) return malformed(diag, all, "is longer than three");
  if (!colon && strcmp(name, "texture") == 0) return add_texture(list);
  burl_status status = burl_network_choose(&choice, name, layers, diag);
  if (status != BURL_OK) return status;
  size_t path = colon ? n - length - 1 : 0;
  if (path == 0) return malformed(diag, all, "names a network without the file of its weights");
  if (path >= sizeof choice.path) return malformed(diag, all, "names a file by a path too long");
  memcpy(choice.path, colon + 1, path);
  list->entry[list->count++].network = choice;
  return BURL_OK;
}

burl_status burl_encoder_list_read(burl_encoder_list *list, const char *text, const char *layers,
                                   burl_diag *diag) {
  burl_encoder_list made = {0};
  if (!text) text = "texture";
  for (const char *at = text;; at++) {
    size_t n = strcspn(at, ",");
    burl_status status = add(&made, at, n, layers, text, diag);
    if (status != BURL_OK) return status;
    at += n;
    if (!*at) break;
  }
  *list = made;
  return BURL_OK;
}

burl_status burl_encoder_list_open(burl_encoder **encoder, const burl_network_choice *choice,
                                   burl_diag *diag) {
  burl_weights *weights;
  burl_status status = burl_weights_load(&weights, choice->path, diag);
  if (status != BURL_OK) return status;
  status = burl_network_encoder_new(encoder, choice, weights, diag);
  burl_weights_free(weights);
  return status;
}
