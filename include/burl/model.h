/* burl/model.h: a fitted model: encoder, prototype banks and calibration in one file.
 *
 * Fit on defect-free images alone, score any image of 32 pixels a side and more. Fitting makes a
 * few streaming passes over the images; memory does not grow with their number (but for method
 * pradot, which keeps the features of all images, 4 GiB a group at most). Same images,
 * options and seed: same bytes of model and maps, for any number of threads.
 */
#ifndef BURL_MODEL_H
#define BURL_MODEL_H

#include <burl/dataset.h>
#include <burl/heat.h>
#include <burl/prototype.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_MIN_SIDE 32 /* smallest side of an image that can be fitted on or scored */

typedef struct burl_model burl_model;

typedef struct burl_fit_options {
  burl_bank_options bank; /* the method and all its settings; its seed is that of the whole fit */
  double false_alarm;     /* share of good images that may reach the threshold: 0.0001..0.5 */
  int threads;            /* 1..256; does not change the result */
  int gallery;            /* keep the training patch nearest to each prototype, with a picture */
  int heads;              /* match heads to kinds of defects, where there are 16 good images or
                             more (burl_model_get_head); 0: the plain sum of the groups */
  const char *encoder;    /* borrowed: "texture" (also NULL), "resnet18:FILE", or several, such as
                             "texture,resnet18:FILE"; networks are named in burl/encode.h */
  const char *layers;     /* borrowed: "2,3", of the networks; NULL: those they are best at */
  int embed_encoder;      /* weights of networks go into the model, as 16-bit floats */
} burl_fit_options;

BURL_API burl_fit_options burl_fit_default_options(void);

/* What a model holds, for people and reports. Texts are borrowed from the model. */
typedef struct burl_model_group {
  const char *name;  /* "level0".. or "fine" */
  size_t stride;     /* pixels between neighbouring patches */
  size_t dimension;  /* d of its patch embeddings */
  size_t prototypes; /* K of its bank, 0 if the training images were too small for the group */
  size_t local;      /* K of its local bank, which stands in its place where positions count */
} burl_model_group;

typedef struct burl_model_info {
  int format_version;
  const char *burl_version;  /* of the library that fitted it */
  const char *encoder;       /* "texture", "texture,resnet18".. */
  burl_fit_options options;  /* threads is 0, encoder and layers NULL: no part of a model */
  size_t images;             /* good images fitted on, with those set aside */
  size_t aside;              /* images among them that look unlike the others and taught nothing */
  size_t updates;            /* by burl_model_update, since the fit */
  size_t calibration_images; /* held-out scores behind the threshold */
  double threshold;          /* raw value that heat 1 stands for */
  double threshold_low, threshold_high; /* 90 % interval of it, by bootstrap over the images */
  double typical;                       /* raw value that heat 0 stands for */
  uint32_t data_checksum; /* CRC-32 over the names and pixels of the training images */
  size_t groups;
  size_t networks;      /* pretrained networks among its encoders */
  size_t heads;         /* in use; 0: groups are simply added up */
  size_t dropped_heads; /* matched as well, of no help */
} burl_model_info;

/* A pretrained network that a model sees by. Texts are borrowed from the model. */
typedef struct burl_model_network {
  const char *name;        /* "resnet18".. */
  const char *hash, *file; /* of the weights: 16 hexadecimal digits, and where they were */
  int embedded;            /* the weights are in the model */
  const int *layers;       /* (layer_count), rising */
  size_t layer_count;
} burl_model_network;

/* Fits on the good training images of a data set. Images that cannot be used go to the observer as
 * problems and are counted in *skipped (may be NULL).
 * Errors: BURL_ERR_ARGUMENT (an option), BURL_ERR_DATA (fewer than 2 usable images, or 5 for method
 * pradot, all constant...), BURL_ERR_SIZE (pradot: too many features or prototypes),
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_model_fit(burl_model **model, size_t *skipped,
                                    const burl_dataset *dataset, const burl_fit_options *options,
                                    const burl_observer *observer, burl_diag *diag) BURL_MUST_CHECK;

typedef struct burl_update_options {
  burl_split split; /* whose good images are new: training images, by default */
  int force;        /* take images that look defective, or like another cloth, all the same */
  int threads;      /* 1..256; does not change the result */
} burl_update_options;

BURL_API burl_update_options burl_update_default_options(void);

/* Goes on learning from new good images of the same cloth: its prototypes move and make room, their
 * number stays, and the threshold takes the new images in; docs/math/prototypes.md,
 * "Update". The old images are not needed. Images that cannot be used go to the observer as
 * problems and are counted in *skipped (may be NULL). On error the model is as it was.
 * Errors: BURL_ERR_ARGUMENT (an option), BURL_ERR_UNSUPPORTED (the method of the model cannot be
 * updated), BURL_ERR_DATA (no usable image; some look defective or all like another cloth, and
 * force is 0), BURL_ERR_MEMORY. */
BURL_API burl_status burl_model_update(burl_model *model, size_t *skipped,
                                       const burl_dataset *dataset,
                                       const burl_update_options *options,
                                       const burl_observer *observer,
                                       burl_diag *diag) BURL_MUST_CHECK;

/* Model files are safetensors files with the metadata keys "burl.format", "burl.version",
 * "burl.model" (JSON) and "burl.checksum"; see docs/formats.md. Saved whole or not at all.
 * Errors of load: BURL_ERR_IO, BURL_ERR_FORMAT, BURL_ERR_VERSION, BURL_ERR_CHECKSUM,
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_model_load(burl_model **model, const char *path,
                                     burl_diag *diag) BURL_MUST_CHECK;
/* The same with other files for the weights of networks, "resnet18:FILE" or several with commas;
 * NULL: those that the model names, or files of their name beside it. Weights other than those that
 * were fitted with are refused (BURL_ERR_DATA). */
BURL_API burl_status burl_model_load_with(burl_model **model, const char *path, const char *encoder,
                                          burl_diag *diag) BURL_MUST_CHECK;
BURL_API burl_status burl_model_save(const burl_model *model, const char *path,
                                     burl_diag *diag) BURL_MUST_CHECK;
BURL_API void burl_model_free(burl_model *model);

BURL_API void burl_model_get_info(const burl_model *model, burl_model_info *info);
BURL_API void burl_model_get_group(const burl_model *model, size_t group, burl_model_group *info);
BURL_API void burl_model_get_network(const burl_model *model, size_t i, burl_model_network *info);
/* Names of the images set aside, as in the data set, i < aside. */
BURL_API const char *burl_model_get_aside(const burl_model *model, size_t i);
/* The metadata as JSON text, borrowed: all settings, the calibration and the groups. */
BURL_API const char *burl_model_get_json(const burl_model *model);

/* Notes in the JSON text, as "spatial_choice", how positions were chosen (the text of a
 * burl_select_report, UTF-8). Errors: BURL_ERR_MEMORY (also: not UTF-8). */
BURL_API burl_status burl_model_set_choice(burl_model *model, const char *text,
                                           burl_diag *diag) BURL_MUST_CHECK;

/* One image: its heat map (height, width) and its score, the map's maximum.
 * A scorer owns the working memory of scoring (bounded, whatever the image's size) and one model
 * may have many. Tiles are spread over `threads`; the map does not depend on tiling. Errors:
 * BURL_ERR_SIZE (a side below BURL_MIN_SIDE), BURL_ERR_NUMERIC (a sample not finite). */
typedef struct burl_scorer burl_scorer;
BURL_API burl_status burl_scorer_new(burl_scorer **scorer, const burl_model *model,
                                     int threads) BURL_MUST_CHECK;
BURL_API void burl_scorer_free(burl_scorer *scorer);
BURL_API burl_status burl_scorer_score(burl_scorer *scorer, float *heat, double *score,
                                       const burl_image *image, burl_diag *diag) BURL_MUST_CHECK;

/* A scored image on its way to the caller; everything is borrowed and ends with the call. */
typedef struct burl_scored {
  size_t index; /* of the item in the data set */
  const burl_item *item;
  const burl_image *image;
  const float *heat;          /* (image->height, image->width) */
  const unsigned char *kinds; /* (height, width) of burl_kind; NULL: the model names no kinds */
  double score;
  burl_kind kind; /* of the hottest pixel */
  const struct burl_explanation
      *explained; /* (members of the sink), NULL where none is asked for */
} burl_scored;

typedef struct burl_score_sink {
  void *context;
  /* Called from worker threads, several at a time, in any order: for writing files. May be NULL. */
  burl_status (*write)(void *context, const burl_scored *scored, burl_diag *diag);
  /* Called afterwards from one thread, in the order of the items: for lists and metrics. May be
   * NULL. */
  burl_status (*collect)(void *context, const burl_scored *scored, burl_diag *diag);
  /* Members whose nearest prototypes are asked for as well; see burl/model_explain.h. */
  const size_t *members;
  size_t member_count;
} burl_score_sink;

typedef struct burl_score_stats {
  size_t scored, failed; /* images that went through, and that were reported and left out */
  uint64_t pixels;
  double read_seconds, score_seconds, write_seconds, collect_seconds; /* summed over threads */
} burl_score_stats;

/* Scores all items of one split (0: all). An image that cannot be read, scored or written is a
 * problem for the observer and is left out; the rest goes on. Many small images are spread over the
 * threads, of a large one the tiles. A failing `collect` ends the run with its status. */
BURL_API burl_status burl_model_score_dataset(const burl_model *model, const burl_dataset *dataset,
                                              burl_split split, const burl_score_sink *sink,
                                              int threads, const burl_observer *observer,
                                              burl_score_stats *stats,
                                              burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
