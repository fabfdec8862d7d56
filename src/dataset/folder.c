/* Folders, read breadth first: a queue instead of recursion, so that no depth can exhaust the
 * stack, and one folder open at a time. Every folder is known by device and inode and read once,
 * which ends loops of links and keeps folders linked many times over from multiplying. */
#include "dataset/folder.h"

#include "base/diag.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

burl_entry_kind burl_entry_look(const char *path, burl_file_id *id, int *error) {
  struct stat st;
  *id = (burl_file_id){0};
  *error = 0;
  if (stat(path, &st) != 0) {
    *error = errno;
    return BURL_ENTRY_BROKEN;
  }
  *id = (burl_file_id){.device = (uint64_t)st.st_dev,
                       .inode = (uint64_t)st.st_ino,
                       .size = (int64_t)st.st_size,
                       .seconds = (int64_t)st.st_mtim.tv_sec,
                       .nanoseconds = (int64_t)st.st_mtim.tv_nsec};
  if (S_ISDIR(st.st_mode)) return BURL_ENTRY_FOLDER;
  return S_ISREG(st.st_mode) && burl_name_is_image(path) ? BURL_ENTRY_IMAGE : BURL_ENTRY_OTHER;
}

int burl_name_is_image(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot && (burl_text_equal_fold(dot, ".png") || burl_text_equal_fold(dot, ".jpg") ||
                 burl_text_equal_fold(dot, ".jpeg"));
}

char *burl_path_join(const char *folder, const char *name) {
  size_t folder_length = strlen(folder), name_length = strlen(name);
  char *path = burl_alloc(folder_length + name_length + 2, 1);
  if (!path) return NULL;
  memcpy(path, folder, folder_length);
  if (folder_length && name_length && folder[folder_length - 1] != '/') path[folder_length++] = '/';
  memcpy(path + folder_length, name, name_length + 1);
  return path;
}

char *burl_path_trim(const char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/')
    length--;
  char *copy = burl_alloc(length + 1, 1);
  if (!copy) return NULL;
  memcpy(copy, path, length);
  copy[length] = '\0';
  return copy;
}

static int by_name(const void *a, const void *b) {
  const burl_entry *first = a, *second = b;
  return strcmp(first->name, second->name);
}

static int add_entry(burl_listing *listing, const char *folder, const char *name) {
  burl_entry *grown =
      burl_grown(listing->entries, listing->count, &listing->capacity, sizeof *grown);
  if (!grown) return 0;
  listing->entries = grown;
  burl_entry *entry = &grown[listing->count];
  entry->name = burl_texts_copy(&listing->names, name, strlen(name));
  char *path = burl_path_join(folder, name);
  if (entry->name && path) {
    entry->kind = burl_entry_look(path, &entry->id, &entry->error);
    listing->count++;
  }
  free(path);
  return entry->name && path;
}

burl_status burl_listing_read(burl_listing *listing, const char *path, burl_diag *diag) {
  DIR *folder = opendir(path);
  if (!folder) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  burl_listing fresh = {0};
  burl_status status = BURL_OK;
  while (status == BURL_OK) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    if (!entry) {
      if (errno != 0) status = burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be listed");
      break;
    }
    if (entry->d_name[0] == '.') continue;
    if (!add_entry(&fresh, path, entry->d_name)) status = burl_fail_memory(diag, path);
  }
  closedir(folder);
  if (status != BURL_OK) {
    burl_listing_free(&fresh);
    return status;
  }
  if (fresh.count) qsort(fresh.entries, fresh.count, sizeof *fresh.entries, by_name);
  *listing = fresh;
  return BURL_OK;
}

void burl_listing_free(burl_listing *listing) {
  free(listing->entries);
  burl_texts_free(&listing->names);
  *listing = (burl_listing){0};
}

/* The folders still to be read, relative to the root, in the order they were found. */
typedef struct queue {
  const char **names;
  size_t count, capacity, next;
  burl_texts texts;
} queue;

static int push(queue *pending, const char *name) {
  const char **grown =
      burl_grown(pending->names, pending->count, &pending->capacity, sizeof *grown);
  if (!grown) return 0;
  pending->names = grown;
  const char *copy = burl_texts_copy(&pending->texts, name, strlen(name));
  if (copy) grown[pending->count++] = copy;
  return copy != NULL;
}

static burl_status mark(burl_walk *walk, const burl_file_id *id, int *new_to_walk,
                        burl_diag *diag) {
  char key[64];
  snprintf(key, sizeof key, "%" PRIx64 ":%" PRIx64, id->device, id->inode);
  size_t *seen = burl_text_map_at(&walk->seen, key);
  if (!seen) return burl_fail_memory(diag, walk->root);
  *new_to_walk = *seen == 0;
  *seen = 1;
  return BURL_OK;
}

burl_status burl_walk_mark(burl_walk *walk, const char *path, int *new_to_walk, burl_diag *diag) {
  burl_file_id id;
  int error;
  *new_to_walk = 1;
  if (burl_entry_look(path, &id, &error) == BURL_ENTRY_BROKEN) return BURL_OK;
  return mark(walk, &id, new_to_walk, diag);
}

static void report_seen(const burl_walk *walk, const char *path) {
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, path, NULL,
            "is a link to a folder that is read already, and is not followed");
  burl_observe_problem(walk->observer, &problem);
}

static burl_status take_entry(burl_walk *walk, queue *pending, const char *name,
                              const burl_entry *entry, burl_diag *diag) {
  char *path = burl_path_join(walk->root, name);
  if (!path) return burl_fail_memory(diag, walk->root);
  burl_status status = BURL_OK;
  int new_to_walk = 1;
  if (entry->kind == BURL_ENTRY_IMAGE)
    status = walk->visit(walk->context, path, name, &entry->id, diag);
  else
    status = mark(walk, &entry->id, &new_to_walk, diag);
  if (!new_to_walk)
    report_seen(walk, path);
  else if (status == BURL_OK && entry->kind == BURL_ENTRY_FOLDER && !push(pending, name))
    status = burl_fail_memory(diag, path);
  free(path);
  return status;
}

static void report_broken(const burl_walk *walk, const char *path, size_t count,
                          const burl_entry *first) {
  burl_diag problem;
  char text[128];
  const char *why = strerror_r(first->error, text, sizeof text) == 0 ? text : "unknown reason";
  burl_fail(&problem, BURL_ERR_IO, path, NULL,
            "%zu of its entries cannot be looked at and %s left out (first: '%s', %s)", count,
            count == 1 ? "is" : "are", first->name, why);
  burl_observe_problem(walk->observer, &problem);
}

/* Files of other kinds, and entries that cannot be looked at: a line each for the whole folder. */
static void report_others(burl_walk *walk, const burl_listing *listing, const char *path) {
  const burl_entry *other = NULL, *broken = NULL;
  size_t others = 0, broken_count = 0;
  for (size_t i = 0; i < listing->count; i++) {
    const burl_entry *entry = &listing->entries[i];
    if (entry->kind == BURL_ENTRY_OTHER && others++ == 0) other = entry;
    if (entry->kind == BURL_ENTRY_BROKEN && broken_count++ == 0) broken = entry;
  }
  walk->others += others + broken_count;
  walk->lost += broken_count;
  if (other) {
    burl_diag problem;
    burl_fail(&problem, BURL_ERR_DATA, path, NULL,
              "%zu of its entries %s neither folders nor files named .png, .jpg or .jpeg and %s "
              "left out (first: '%s')",
              others, others == 1 ? "is" : "are", others == 1 ? "is" : "are", other->name);
    burl_observe_problem(walk->observer, &problem);
  }
  if (broken) report_broken(walk, path, broken_count, broken);
}

static burl_status take_listing(burl_walk *walk, queue *pending, const char *folder,
                                const burl_listing *listing, burl_diag *diag) {
  burl_status status = BURL_OK;
  for (size_t i = 0; status == BURL_OK && i < listing->count; i++) {
    const burl_entry *entry = &listing->entries[i];
    if (entry->kind != BURL_ENTRY_IMAGE && entry->kind != BURL_ENTRY_FOLDER) continue;
    char *name = burl_path_join(folder, entry->name);
    status =
        name ? take_entry(walk, pending, name, entry, diag) : burl_fail_memory(diag, walk->root);
    free(name);
  }
  return status;
}

/* Reads one folder of the queue; one below the first that the system refuses is left out. */
static burl_status read_pending(burl_walk *walk, queue *pending, burl_diag *diag) {
  int first = pending->next == 0;
  const char *folder = pending->names[pending->next++];
  char *path = burl_path_join(walk->root, folder);
  if (!path) return burl_fail_memory(diag, walk->root);
  burl_diag problem;
  burl_listing listing = {0};
  burl_status status = burl_listing_read(&listing, path, &problem);
  if (status == BURL_OK) {
    status = take_listing(walk, pending, folder, &listing, diag);
    report_others(walk, &listing, path);
  } else if (status == BURL_ERR_IO && !first) {
    burl_observe_problem(walk->observer, &problem);
    walk->lost++;
    status = BURL_OK;
  } else if (diag) {
    *diag = problem;
  }
  burl_listing_free(&listing);
  free(path);
  return status;
}

burl_status burl_walk_below(burl_walk *walk, const char *start, burl_diag *diag) {
  queue pending = {0};
  char *path = burl_path_join(walk->root, start);
  int new_to_walk = 1;
  burl_status status =
      path ? burl_walk_mark(walk, path, &new_to_walk, diag) : burl_fail_memory(diag, walk->root);
  if (status == BURL_OK && !new_to_walk) report_seen(walk, path);
  if (status == BURL_OK && new_to_walk && !push(&pending, start))
    status = burl_fail_memory(diag, path);
  while (status == BURL_OK && pending.next < pending.count)
    status = read_pending(walk, &pending, diag);
  free(path);
  free(pending.names);
  burl_texts_free(&pending.texts);
  return status;
}

void burl_walk_free(burl_walk *walk) {
  burl_text_map_free(&walk->seen);
}
