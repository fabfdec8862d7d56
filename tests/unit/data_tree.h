/* tests/unit/data_tree.h: small trees of files to make data sets of, and what an observer was told.
 * Trees live under a mkdtemp folder and are removed with it; the root is cut out of told paths. */
#ifndef BURL_TESTS_DATA_TREE_H
#define BURL_TESTS_DATA_TREE_H

#include <burl/dataset.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct tree {
  char root[256];
  size_t problems, steps;
  char told[16384]; /* a line for every problem */
} tree;

static inline void tree_make(tree *t) {
  const char *base = getenv("TMPDIR");
  *t = (tree){0};
  snprintf(t->root, sizeof t->root, "%s/burl-tree-XXXXXX", base && *base ? base : "/tmp");
  assert_non_null(mkdtemp(t->root));
}

/* The path of a name in the tree, in one of eight turns of a static buffer. */
static inline const char *tree_path(const tree *t, const char *name) {
  static char paths[8][4096];
  static int turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s%s%s", t->root, name[0] ? "/" : "", name);
  return path;
}

static inline void tree_folders(const tree *t, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s", tree_path(t, name));
  for (char *c = path + strlen(t->root) + 1; *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    mkdir(path, 0777);
    *c = '/';
  }
}

static inline void tree_put(const tree *t, const char *name, const char *text) {
  tree_folders(t, name);
  FILE *file = fopen(tree_path(t, name), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

/* Files that only look like images, by name; the names end with NULL. */
static inline void tree_touch(const tree *t, const char *const *names) {
  for (; *names; names++)
    tree_put(t, *names, *names);
}

/* A link at `name` to target, which is relative to the link's folder. */
static inline void tree_link(const tree *t, const char *name, const char *target) {
  tree_folders(t, name);
  assert_int_equal(symlink(target, tree_path(t, name)), 0);
}

static inline void remove_all(const char *path) {
  struct stat st;
  if (lstat(path, &st) != 0) return;
  if (!S_ISDIR(st.st_mode)) {
    unlink(path);
    return;
  }
  DIR *folder = opendir(path);
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char *below = malloc(strlen(path) + strlen(entry->d_name) + 2);
    assert_non_null(below);
    sprintf(below, "%s/%s", path, entry->d_name);
    remove_all(below);
    free(below);
  }
  if (folder) closedir(folder);
  rmdir(path);
}

static inline void tree_remove(const tree *t) {
  remove_all(t->root);
}

static inline void tree_told(void *context, const burl_diag *diag) {
  tree *t = context;
  char line[2048];
  burl_diag_format(line, sizeof line, diag);
  for (char *c; (c = strstr(line, t->root));)
    memmove(c, c + strlen(t->root), strlen(c + strlen(t->root)) + 1);
  size_t length = strlen(t->told);
  snprintf(t->told + length, sizeof t->told - length, "%s\n", line);
  t->problems++;
}

static inline void tree_step(void *context, const char *stage, size_t done, size_t total) {
  tree *t = context;
  assert_non_null(stage);
  assert_true(done >= 1 && done <= total);
  t->steps++;
}

static inline burl_observer tree_observer(tree *t) {
  t->problems = t->steps = 0;
  t->told[0] = '\0';
  return (burl_observer){.context = t, .progress = tree_step, .problem = tree_told};
}

static inline void assert_told(const tree *t, const char *part) {
  if (!strstr(t->told, part)) fail_msg("nothing like \"%s\" was told, but:\n%s", part, t->told);
}

/* Loads the data set at `name` of the tree and expects it to be there. */
static inline burl_dataset *tree_load(tree *t, const char *name) {
  burl_observer observer = tree_observer(t);
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  burl_status status = burl_dataset_load(&dataset, tree_path(t, name), &observer, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  return dataset;
}

/* Expects loading to fail with status and a reason that has `part` in it. */
static inline void tree_refuse(tree *t, const char *name, burl_status expected, const char *part) {
  burl_observer observer = tree_observer(t);
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  burl_status status = burl_dataset_load(&dataset, tree_path(t, name), &observer, &diag);
  if (status != expected || diag.status != expected || !strstr(diag.reason, part))
    fail_msg("%s: %s: %s", name, burl_status_get_name(status), diag.reason);
  assert_null(dataset);
}

#endif
