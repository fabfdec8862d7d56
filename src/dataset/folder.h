/* dataset/folder.h: what lies in a folder, and all images below one.
 *
 * Hidden entries (a leading dot) do not exist. Symbolic links are followed. */
#ifndef BURL_DATASET_FOLDER_H
#define BURL_DATASET_FOLDER_H

#include "dataset/texts.h"

#include <burl/base.h>

/* What makes two names the same file. */
typedef struct burl_file_id {
  uint64_t device, inode;
  int64_t size, seconds, nanoseconds; /* bytes, and the time of the last change */
} burl_file_id;

typedef enum burl_entry_kind {
  BURL_ENTRY_IMAGE = 1, /* a regular file named .png, .jpg or .jpeg */
  BURL_ENTRY_FOLDER,
  BURL_ENTRY_OTHER,
  BURL_ENTRY_BROKEN /* cannot be looked at; a link that leads nowhere, say */
} burl_entry_kind;

/* What `path` is; *error is the system's error number for BURL_ENTRY_BROKEN, 0 otherwise. */
burl_entry_kind burl_entry_look(const char *path, burl_file_id *id, int *error);

/* 1 where a name ends in .png, .jpg or .jpeg, in any case. */
int burl_name_is_image(const char *name);

/* "folder/name", freed with free(); name alone under the folder "", folder alone for the name "".
 */
char *burl_path_join(const char *folder, const char *name);
/* A copy of path without slashes at its end (the root stays "/"), freed with free(). */
char *burl_path_trim(const char *path);

typedef struct burl_entry {
  const char *name;
  burl_entry_kind kind;
  int error;
  burl_file_id id;
} burl_entry;

/* The entries of one folder in byte order of their names. `{0}` is empty. */
typedef struct burl_listing {
  burl_entry *entries;
  size_t count, capacity;
  burl_texts names;
} burl_listing;

/* Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
burl_status burl_listing_read(burl_listing *listing, const char *path,
                              burl_diag *diag) BURL_MUST_CHECK;
void burl_listing_free(burl_listing *listing);

typedef struct burl_walk {
  const char *root; /* trimmed; names are relative to it */
  const burl_observer *observer;
  void *context;
  burl_status (*visit)(void *context, const char *path, const char *name, const burl_file_id *id,
                       burl_diag *diag);
  size_t others;      /* files of other kinds met so far */
  size_t lost;        /* entries that cannot be looked at, folders that cannot be read */
  burl_text_map seen; /* folders read so far; kept between calls, so that none is read twice */
} burl_walk;

/* Calls visit for every image below root/start ("" for the root itself), folder by folder. Left out
 * and told to the observer: files of other kinds (once a folder), folders that cannot be read or
 * were read before. Errors: BURL_ERR_IO (start cannot be read), BURL_ERR_MEMORY, those of visit. */
burl_status burl_walk_below(burl_walk *walk, const char *start, burl_diag *diag) BURL_MUST_CHECK;
/* Marks a folder as read, so that links to it are not followed. Errors: BURL_ERR_MEMORY. */
burl_status burl_walk_mark(burl_walk *walk, const char *path, int *new_to_walk,
                           burl_diag *diag) BURL_MUST_CHECK;
void burl_walk_free(burl_walk *walk);

#endif
