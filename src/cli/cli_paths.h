/* cli_paths.h: names of outputs, and care that no output overwrites an input or another output. */
#ifndef BURL_CLI_PATHS_H
#define BURL_CLI_PATHS_H

#include <burl/dataset.h>
#include <sys/types.h>

/* FOLDER/NAME+SUFFIX, freed by the caller; NULL where there is no memory. */
char *burl_cli_join(const char *folder, const char *name, const char *suffix);

/* Makes a folder and those it lies in, and finds out at once whether files can be written there,
 * rather than after the work. */
burl_status burl_cli_make_folder(const char *path, burl_diag *diag);
/* The same for a file: it may be new or replaced. The folders are made when it is written. */
burl_status burl_cli_check_file(const char *path, burl_diag *diag);
/* 1 if path is there, whatever it is. */
int burl_cli_exists(const char *path);

/* The files that a command reads, known by device and inode, so that links do not hide them. */
typedef struct cli_inputs {
  struct cli_file {
    dev_t device;
    ino_t inode;
  } * files;
  size_t count;
} cli_inputs;

/* All images and masks of a data set (NULL: none), and further files (NULL: none). */
burl_status burl_cli_inputs_collect(cli_inputs *self, const burl_dataset *dataset,
                                    const char *const *more, size_t more_count, burl_diag *diag);
void burl_cli_inputs_free(cli_inputs *self);
/* BURL_ERR_ARGUMENT where writing to path would overwrite an input. */
burl_status burl_cli_inputs_protect(const cli_inputs *self, const char *path, burl_diag *diag);
/* The same for a path that was made for it: it is freed; NULL: there was no memory for it. */
burl_status burl_cli_inputs_protect_made(const cli_inputs *self, char *path, burl_diag *diag);
/* The same for the files of weights in a list of encoders, "texture,resnet18:FILE"; NULL: none. */
burl_status burl_cli_protect_weights(const char *encoders, const char *path, burl_diag *diag);

/* Good training images of a data set; BURL_ERR_DATA where there is none. */
size_t burl_cli_count_training(const burl_dataset *dataset);
burl_status burl_cli_check_training(const burl_dataset *dataset, const char *data, burl_diag *diag);

/* For each item of a data set the name its outputs begin with: its name without the extension, or,
 * where an earlier item has that already, the whole name (and "-2", "-3"... after it until it is
 * free). Freed with burl_cli_stems_free. */
burl_status burl_cli_stems_new(char ***stems, const burl_dataset *dataset, burl_diag *diag);
void burl_cli_stems_free(char **stems, size_t count);

#endif
