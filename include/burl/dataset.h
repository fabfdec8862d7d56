/* burl/dataset.h: what there is to fit on and to evaluate.
 *
 * Three layouts are found by themselves:
 *   MVTec   DIR/train/good/X, DIR/test/CLASS/X, DIR/ground_truth/CLASS/X_mask.png (good: none)
 *   folder  DIR with images, directly or in subfolders: all are good training images
 *   list    a CSV file with the header path,split,label,mask (mask may be empty or left out),
 *           and if wanted source: what the image was cut from;
 *           paths are relative to the list's folder; split is train or test; label is good or a
 *           class
 *
 * A folder is MVTec when it has train/good, or test with a folder in it. Below train/good and
 * test/CLASS images may lie in subfolders; the class is the first folder. A mask may also be named
 * as its image (ground_truth/CLASS/X.png), with any of the extensions; X_mask goes before X. Good
 * in any case (Good, GOOD) is good. Good images have no mask; one that is given is not read.
 *
 * Items are sorted by name in byte order, training images before test images; within a split the
 * same file twice (in another line, by a symbolic or hard link) is one item. An image is an item
 * if its name ends in .png, .jpg or .jpeg in any case; whether it can be read is found out when it
 * is. Hidden entries (a leading dot) of folders are passed over; links are followed, but no folder
 * is read twice.
 *
 * Names are unique within a split, relative and free of "." and ".." parts, so that results can be
 * written under them: of a list's "../a.png" and "/a.png" the second is named a-2.png.
 */
#ifndef BURL_DATASET_H
#define BURL_DATASET_H

#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum burl_layout {
  BURL_LAYOUT_MVTEC = 1,
  BURL_LAYOUT_FOLDER,
  BURL_LAYOUT_LIST
} burl_layout;
typedef enum burl_split { BURL_SPLIT_TRAIN = 1, BURL_SPLIT_TEST } burl_split;

typedef struct burl_item {
  const char *path;   /* to open */
  const char *name;   /* relative to the data set, '/' between folders */
  const char *label;  /* "good" or a defect class */
  const char *mask;   /* ground-truth mask to open, NULL if there is none */
  const char *source; /* images of one source are not independent; NULL: not known */
  burl_split split;
  int defective; /* 1 if label is not "good" */
} burl_item;

typedef struct burl_dataset burl_dataset;

/* Finds out what `path` (a folder or a CSV list) holds. Reads no image. Problems that leave
 * something usable go to the observer: masks without an image, lines naming a missing file, files
 * of other kinds (once a folder), folders that cannot be read or have no place in the layout.
 *
 * Lists follow RFC 4180, in UTF-8 with or without a byte order mark, lines ending in CR LF, LF or
 * CR. Blanks around fields count only in quotes; columns may stand in any order, unknown ones are
 * told and not read; empty lines are passed over. Training lines with a defect class are told and
 * left out.
 *
 * Errors: BURL_ERR_IO (not there, unreadable), BURL_ERR_DATA (nothing usable, a folder of whole
 * data sets, a file that is good and defective at once), BURL_ERR_FORMAT (a list, with its line),
 * BURL_ERR_SIZE (a list above 256 MiB), BURL_ERR_MEMORY. */
BURL_API burl_status burl_dataset_load(burl_dataset **dataset, const char *path,
                                       const burl_observer *observer,
                                       burl_diag *diag) BURL_MUST_CHECK;
BURL_API void burl_dataset_free(burl_dataset *dataset);

BURL_API burl_layout burl_dataset_get_layout(const burl_dataset *dataset);
BURL_API size_t burl_dataset_get_count(const burl_dataset *dataset);
/* Images that were named or listed but are not there to be read (a dangling link, a missing file, a
 * folder without permission); each went to the observer. */
BURL_API size_t burl_dataset_get_lost(const burl_dataset *dataset);
/* Item i < count; borrowed, valid while the data set lives. */
BURL_API const burl_item *burl_dataset_get_item(const burl_dataset *dataset, size_t i);

/* Images to score, from files and folders named on a command line: a folder gives all images below
 * it with names relative to the folder; a file gives its base name. All become test items labelled
 * "good" without masks; the layout is BURL_LAYOUT_FOLDER. Names that would collide get "-2",
 * "-3"... before the extension, in the order of the paths. A file named here is taken whatever its
 * name ends in: its content says what it is. A path among several that is not there is told and
 * counts as lost; empty folders are told. Errors: BURL_ERR_IO (the only path is not there),
 * BURL_ERR_DATA (no image at all), BURL_ERR_MEMORY. */
BURL_API burl_status burl_dataset_from_paths(burl_dataset **dataset, const char *const *paths,
                                             size_t count, const burl_observer *observer,
                                             burl_diag *diag) BURL_MUST_CHECK;

/* Reads an item's mask as bytes 0 or 1, (height, width), the image's size: a pixel is defective
 * when the first channel of the mask, brought to 8 bits, is >= threshold (1..255; 128 is the rule).
 * Without a mask file: all 0. `mask` is unchanged on error.
 * Errors: those of burl_image_load, BURL_ERR_SIZE (another size), BURL_ERR_ARGUMENT (threshold). */
BURL_API burl_status burl_item_load_mask(const burl_item *item, uint8_t *mask, size_t height,
                                         size_t width, int threshold,
                                         burl_diag *diag) BURL_MUST_CHECK;

/* The same without a threshold: the values of the mask, 0..255. */
BURL_API burl_status burl_item_load_mask_values(const burl_item *item, uint8_t *values,
                                                size_t height, size_t width,
                                                burl_diag *diag) BURL_MUST_CHECK;

/* What `burl check` prints: every image and mask is opened once. */
typedef struct burl_dataset_summary {
  size_t train_good, test_good, test_defective, masks;
  size_t unreadable;   /* images or masks that could not be read */
  size_t grey, colour; /* images by channels */
  size_t sixteen_bit;  /* images with 16 bits a sample */
  size_t min_height, max_height, min_width, max_width;
  size_t too_small;     /* a side below 32 pixels */
  size_t without_mask;  /* defective test images without a mask */
  size_t mask_mismatch; /* masks of another size than their image */
  size_t empty_masks;   /* masks without a defective pixel */
  size_t constant;      /* images of one value */
  size_t duplicates;    /* images whose pixels equal those of an earlier one */
  size_t leaked;        /* of these: test images equal to a training image */
} burl_dataset_summary;

/* Opens everything; each oddity also goes to the observer with its path. `threads` >= 1; each
 * holds one image or mask at a time. What cannot be read is counted, and no error.
 * Errors: BURL_ERR_ARGUMENT (threads), BURL_ERR_MEMORY. */
BURL_API burl_status burl_dataset_check(burl_dataset_summary *summary, const burl_dataset *dataset,
                                        int threads, const burl_observer *observer,
                                        burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
