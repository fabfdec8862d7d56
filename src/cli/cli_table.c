/* The option table: every command, operand and option of the tool, once.
 *
 * To add a command: a name in cli_command_id, a row in `commands` here, a row in cli_main.c. Ranges
 * are those of the library's headers; defaults are asked of the library when a command is prepared,
 * so that they are written down in one place only.
 */
#include "cli_table.h"

#include <burl/detect_suppress.h>
#include <burl/prototype.h>
#include <burl/synth.h>
#include <string.h>

#define HELP                                                                                       \
  { .id = CLI_HELP, .letter = 'h', .kind = CLI_FLAG, .name = "help", .help = "Show this help" }
#define QUIET                                                                                      \
  {                                                                                                \
    .id = CLI_QUIET, .letter = 'q', .kind = CLI_FLAG, .name = "quiet",                             \
    .help = "Show no progress, notes or summary; problems are still reported"                      \
  }
#define THREADS                                                                                    \
  {                                                                                                \
    .id = CLI_THREADS, .kind = CLI_WHOLE, .name = "threads", .value = "N",                         \
    .help = "Threads, by default one for each processor; results do not depend on it", .least = 1, \
    .most = 256                                                                                    \
  }
#define SEED(text)                                                                                 \
  {                                                                                                \
    .id = CLI_SEED, .kind = CLI_WHOLE, .name = "seed", .value = "N", .help = text,                 \
    .most = 4294967295                                                                             \
  }
#define OUTPUT(what, text)                                                                         \
  {                                                                                                \
    .id = CLI_OUTPUT, .letter = 'o', .required = 1, .kind = CLI_TEXT, .name = "output",            \
    .value = what, .help = text                                                                    \
  }
#define WHOLE(key, long_name, text, from, to)                                                      \
  {                                                                                                \
    .id = key, .kind = CLI_WHOLE, .name = long_name, .value = "N", .help = text, .least = from,    \
    .most = to                                                                                     \
  }
#define FLAG(key, long_name, text)                                                                 \
  { .id = key, .kind = CLI_FLAG, .name = long_name, .help = text }
#define WEIGHTS                                                                                    \
  {                                                                                                \
    .id = CLI_ENCODER, .kind = CLI_TEXT, .name = "encoder", .value = "NAME:FILE",                  \
    .help = "Other places of the weights that the model was fitted with"                           \
  }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define SECOND(name, text) text,

static const cli_option check_options[] = {THREADS, HELP};

static const cli_option fit_options[] = {
    OUTPUT("MODEL", "File to write the model to"),
    {.id = CLI_ENCODER,
     .kind = CLI_TEXT,
     .name = "encoder",
     .value = "LIST",
     .help = "What cloth is seen by: texture (default), NAME:FILE of a pretrained network and its "
             "weights, or both with a comma"},
    {.id = CLI_LAYERS,
     .kind = CLI_TEXT,
     .name = "layers",
     .value = "N,...",
     .help = "Layers of the network to look at; 2,3 of residual networks if not given"},
    FLAG(CLI_EMBED_ENCODER, "embed-encoder",
         "Keep the network's weights in the model, as 16-bit floats"),
    {.id = CLI_METHOD,
     .kind = CLI_CHOICE,
     .name = "method",
     .value = "NAME",
     .help = "How good cloth is learned; the others are there for comparison",
     .choices = {BURL_METHOD_LIST(SECOND) NULL}},
    {.id = CLI_PROTOTYPES,
     .kind = CLI_WHOLE,
     .name = "prototypes",
     .value = "K",
     .help = "Prototypes in each bank",
     .least = 1,
     .most = 65536},
    {.id = CLI_POWER,
     .kind = CLI_REAL,
     .name = "power",
     .value = "P",
     .help = "Power of the transport cost: 2 is like k-means, large is like k-centre",
     .low = 1,
     .high = 16},
    {.id = CLI_TRIM,
     .kind = CLI_REAL,
     .name = "trim",
     .value = "T",
     .help = "Share of the dearest patches left out, against faults among the good images",
     .low = 0,
     .high = 0.5},
    {.id = CLI_CLEAN,
     .kind = CLI_REAL,
     .name = "clean",
     .value = "C",
     .help =
         "Good images so many robust deviations worse than the others are set aside and listed; "
         "0: none",
     .low = 0,
     .high = 100},
    {.id = CLI_SPATIAL,
     .kind = CLI_CHOICE,
     .name = "spatial",
     .value = "KIND",
     .help = "Position that counts as well: the place on the image, or in the repeat of a print",
     .choices = {BURL_SPATIAL_LIST(SECOND) NULL}},
    {.id = CLI_SPATIAL_WEIGHT,
     .kind = CLI_REAL,
     .name = "spatial-weight",
     .value = "W",
     .help = "How much the position counts",
     .low = 0,
     .high = 0.99},
    {.id = CLI_FALSE_ALARM,
     .kind = CLI_REAL,
     .name = "false-alarm",
     .value = "R",
     .help = "Share of good images that may reach the threshold",
     .low = 0.0001,
     .high = 0.5},
    {.id = CLI_SET,
     .kind = CLI_TEXT,
     .name = "set",
     .value = "NAME=VALUE,...",
     .help = "Further settings; the manual lists them under SETTINGS"},
    FLAG(CLI_NO_AUTO, "no-auto",
         "Add the groups up as they are: match no heads to kinds of defects"),
    FLAG(CLI_NO_GALLERY, "no-gallery", "Keep no examples of the good images in the model"),
    SEED("Seed of the random choices"),
    THREADS,
    QUIET,
    HELP};

static const cli_option score_options[] = {
    OUTPUT("DIR", "Folder to write to"),
    FLAG(CLI_RAW, "raw", "Write raw values to .npy and scores.csv instead of calibrated ones"),
    FLAG(CLI_NO_PICTURES, "no-pictures", "Write no PNG files, only .npy and scores.csv"),
    {.id = CLI_EXPLAIN,
     .kind = CLI_TEXT,
     .name = "explain",
     .value = "NAME,...",
     .help = "Write as well which prototype of these members, or of all, each patch is nearest to"},
    WEIGHTS,
    THREADS,
    QUIET,
    HELP};

#define FORMAT                                                                                     \
  {                                                                                                \
    .id = CLI_FORMAT, .kind = CLI_CHOICE, .name = "format", .value = "KIND",                       \
    .help = "How the table is printed", .choices = {                                               \
      "text",                                                                                      \
      "markdown"                                                                                   \
    }                                                                                              \
  }

static const cli_option eval_options[] = {
    OUTPUT("DIR", "Folder to write to"),
    WHOLE(CLI_MASK_THRESHOLD, "mask-threshold", "Mask value from which on a pixel is defective", 1,
          255),
    {.id = CLI_PRO_LIMIT,
     .kind = CLI_REAL,
     .name = "pro-limit",
     .value = "RATE",
     .help = "Measure AUPRO up to this false positive rate as well",
     .low = 0.0001,
     .high = 1},
    {.id = CLI_BOXES,
     .kind = CLI_TEXT,
     .name = "boxes",
     .value = "FILE",
     .help = "COCO annotations with the true boxes, instead of those round the masks' parts"},
    FORMAT,
    WEIGHTS,
    THREADS,
    QUIET,
    HELP};

static const cli_option compare_options[] = {FORMAT, THREADS, QUIET, HELP};

static const cli_option detect_options[] = {
    OUTPUT("DIR", "Folder to write to"),
    WHOLE(CLI_TOP, "top", "List the N worst defects of all images; 0: all", 0, 1000000),
    {.id = CLI_MIN_SCORE,
     .kind = CLI_REAL,
     .name = "min-score",
     .value = "S",
     .help = "List defects of this score or more; 1 is the threshold",
     .low = 0,
     .high = 100000},
    {.id = CLI_FAIL_ABOVE,
     .kind = CLI_REAL,
     .name = "fail-above",
     .value = "S",
     .help = "Exit with status 3 if a defect has this score or more",
     .low = 0,
     .high = 100000},
    {.id = CLI_NMS,
     .kind = CLI_CHOICE,
     .name = "nms",
     .value = "NAME",
     .help = "How of many outlines of a defect one is chosen",
     .choices = {BURL_SUPPRESS_LIST(SECOND) NULL}},
    {.id = CLI_MM_PER_PX,
     .kind = CLI_REAL,
     .name = "mm-per-px",
     .value = "MM",
     .help = "Millimetres of a pixel: defects.csv tells sizes in millimetres as well",
     .low = 0.0001,
     .high = 1000},
    FLAG(CLI_NO_PICTURES, "no-pictures",
         "Write no PNG files, only defects.csv and detections.json"),
    WEIGHTS,
    THREADS,
    QUIET,
    HELP};

static const cli_option tune_options[] = {
    OUTPUT("DIR", "Folder to write tune.csv, tune.svg and the model tune.burl to"),
    {.id = CLI_ENCODER,
     .kind = CLI_TEXT,
     .name = "encoder",
     .value = "LIST",
     .help = "What cloth is seen by, as for fit"},
    {.id = CLI_LAYERS,
     .kind = CLI_TEXT,
     .name = "layers",
     .value = "N,...",
     .help = "Layers of the network to look at, as for fit"},
    SEED("Seed of the random choices"),
    THREADS,
    QUIET,
    HELP};

static const cli_option synth_options[] = {
    OUTPUT("DIR", "Folder to write to"),
    {.id = CLI_ON,
     .kind = CLI_TEXT,
     .name = "on",
     .value = "DATA",
     .help = "Draw no cloth: put every kind of defect on the good images of DATA, with masks"},
    {.id = CLI_WEAVE,
     .kind = CLI_CHOICE,
     .name = "weave",
     .value = "KIND",
     .help = "Weave of the cloth; all makes one data set for each",
     .choices = {BURL_WEAVE_LIST(SECOND) "all"}},
    {.id = CLI_PRINT,
     .kind = CLI_CHOICE,
     .name = "print",
     .value = "KIND",
     .help = "Print on the cloth; the defects are then those of its arrangement instead: a figure "
             "or a length of stripe is missing, doubled, shifted or swapped",
     .choices = {BURL_PRINT_LIST(SECOND)}},
    WHOLE(CLI_REPEAT, "repeat", "Repeat of the print in pixels, from 40; 0: chosen by the seed", 0,
          BURL_REPEAT_MOST),
    WHOLE(CLI_TRAIN, "train", "Good images to fit on", 0, 99999),
    WHOLE(CLI_TEST_GOOD, "test-good", "Good images to test on", 0, 99999),
    WHOLE(CLI_PER_DEFECT, "per-defect", "Images to test on of each kind of defect", 0, 99999),
    {.id = CLI_SIZE,
     .kind = CLI_EXTENT,
     .name = "size",
     .value = "HxW",
     .help = "Height and width of the images in pixels, or one number for both; printed cloth "
             "512x512 if not given",
     .least = 32,
     .most = 16384},
    FLAG(CLI_COLOUR, "colour", "Dyed yarns in colour instead of grey"),
    SEED("Seed of the cloth"),
    THREADS,
    QUIET,
    HELP};

static const cli_option update_options[] = {
    {.id = CLI_OUTPUT,
     .letter = 'o',
     .kind = CLI_TEXT,
     .name = "output",
     .value = "MODEL",
     .help = "File to write the new model to, by default that of the old one"},
    FLAG(CLI_FORCE, "force", "Learn from images that look defective, or like another cloth, too"),
    WEIGHTS,
    THREADS,
    QUIET,
    HELP};

static const cli_option embed_options[] = {
    OUTPUT("FILE", "File to write to; of several groups FILE.GROUP.npy"),
    {.id = CLI_ENCODER,
     .kind = CLI_TEXT,
     .name = "encoder",
     .value = "NAME:FILE",
     .help = "Networks and their weights, where no model is named"},
    {.id = CLI_LAYERS,
     .kind = CLI_TEXT,
     .name = "layers",
     .value = "N,...",
     .help = "Layers of the networks; 2,3 of residual networks if not given"},
    {.id = CLI_GROUP,
     .kind = CLI_TEXT,
     .name = "group",
     .value = "NAME",
     .help = "Write this group of patch embeddings alone"},
    QUIET,
    HELP};

static const cli_option info_options[] = {
    FLAG(CLI_JSON, "json", "Print all that the model says of itself as JSON"),
    {.id = CLI_GALLERY,
     .kind = CLI_TEXT,
     .name = "gallery",
     .value = "DIR",
     .help = "Write what the model knows to a folder: pictures, a table and a page"},
    WEIGHTS,
    HELP};

#define NO_MODEL "name the model to use (MODEL), as \"burl fit\" wrote it"
#define NO_DATA "name the data (DATA): a folder with images or a CSV list"
#define DATA_TEXT                                                                                  \
  "DATA is a folder in MVTec AD layout (train/good, test/CLASS, ground_truth/CLASS),\n"            \
  "a folder of good images, or a CSV list with the header path,split,label,mask."

static const cli_command commands[] = {
    [CLI_CHECK] = {.name = "check",
                   .operands = "DATA",
                   .summary = "Say what a data set holds; nothing is written",
                   .text = "Opens every image and mask once. Each problem is one line on standard "
                           "error.\n" DATA_TEXT,
                   .missing = {NO_DATA},
                   .least_operands = 1,
                   .most_operands = 1,
                   .options = check_options,
                   .option_count = COUNT(check_options),
                   .examples = "burl check cloth\n"},
    [CLI_FIT] = {.name = "fit",
                 .operands = "DATA",
                 .summary = "Learn from defect-free images",
                 .text = "Images of defects, if DATA has any, are not looked at.\n" DATA_TEXT,
                 .missing = {NO_DATA},
                 .least_operands = 1,
                 .most_operands = 1,
                 .options = fit_options,
                 .option_count = COUNT(fit_options),
                 .examples = "burl fit cloth -o cloth.burl\n"
                             "burl fit good-images -o cloth.burl --false-alarm 0.001\n"
                             "burl fit printed -o printed.burl --spatial grid\n"},
    [CLI_SCORE] = {.name = "score",
                   .operands = "MODEL IMAGE|FOLDER...",
                   .summary = "Heat maps, overlays and one CSV line for each image",
                   .text = "For image X.png: X.heat.npy (float32), X.heat.png (16 bits, 0 to 4 "
                           "thresholds) and\nX.overlay.png; scores.csv for all. A score of 1 is "
                           "the threshold.",
                   .missing = {NO_MODEL, "name the images to score, or a folder with images"},
                   .least_operands = 2,
                   .most_operands = SIZE_MAX,
                   .options = score_options,
                   .option_count = COUNT(score_options),
                   .examples = "burl score cloth.burl roll-17/ -o maps\n"
                               "burl score cloth.burl a.png b.png -o maps --no-pictures\n"},
    [CLI_EVAL] = {.name = "eval",
                  .operands = "MODEL DATA",
                  .summary = "Metrics against ground truth, and a report",
                  .text = "Scores the test images of DATA and writes metrics.json, images.csv, "
                          "pixels.roc.csv,\nregions.csv, report.html and evidence.safetensors "
                          "(for \"burl compare\").\nDefective images without a mask count for "
                          "the image metrics only.",
                  .missing = {NO_MODEL, NO_DATA},
                  .least_operands = 2,
                  .most_operands = 2,
                  .options = eval_options,
                  .option_count = COUNT(eval_options),
                  .examples = "burl eval cloth.burl cloth -o report\n"},
    [CLI_COMPARE] = {.name = "compare",
                     .operands = "A B",
                     .summary = "What two evaluations differ by, and how sure that is",
                     .text = "A and B are output folders of \"burl eval\" on the same images, "
                             "which are paired by name.\nA star marks differences whose 95 % "
                             "interval does not hold 0.",
                     .missing = {"name the two output folders of \"burl eval\" (A B)",
                                 "name the second output folder of \"burl eval\" (B)"},
                     .least_operands = 2,
                     .most_operands = 2,
                     .options = compare_options,
                     .option_count = COUNT(compare_options),
                     .examples = "burl compare report-1 report-2\n"},
    [CLI_DETECT] = {.name = "detect",
                    .operands = "MODEL IMAGE|FOLDER...",
                    .summary = "A ranked list of defects with boxes, masks and sizes",
                    .text = "Writes defects.csv and detections.json (COCO results), the worst "
                            "defect of all images\nfirst, and for each image X.png on the list "
                            "X.defects.png with its boxes, numbered by\nrank. A score of 1 is the "
                            "threshold.",
                    .missing = {NO_MODEL, "name the images to look at, or a folder with images"},
                    .least_operands = 2,
                    .most_operands = SIZE_MAX,
                    .options = detect_options,
                    .option_count = COUNT(detect_options),
                    .examples = "burl detect cloth.burl roll-17/ -o defects\n"
                                "burl detect cloth.burl a.png -o defects --mm-per-px 0.08 "
                                "--fail-above 1.5\n"},
    [CLI_SYNTH] = {.name = "synth",
                   .operands = "",
                   .summary = "Synthetic cloth with known defects, in MVTec AD layout",
                   .text = "No file is ever overwritten.",
                   .missing = {NULL},
                   .options = synth_options,
                   .option_count = COUNT(synth_options),
                   .examples = "burl synth -o sample\n"
                               "burl synth -o twill --weave twill --size 512x768 --colour --seed "
                               "7\n"
                               "burl synth -o leaves --print figures --repeat 96\n"},
    [CLI_TUNE] =
        {.name = "tune",
         .operands = "DATA",
         .summary = "Show what a fit weighs its groups by, for each kind of defect",
         .text =
             "Synthetic defects are put on held-out good images; no image of a real "
             "defect is looked at.\nThe model written is that of `burl fit --spatial none` with "
             "default settings.",
         .missing = {"name the data set or the folder of good images to learn from"},
         .least_operands = 1,
         .most_operands = 1,
         .options = tune_options,
         .option_count = COUNT(tune_options),
         .examples = "burl tune cloth -o tuned\n"},
    [CLI_UPDATE] = {.name = "update",
                    .operands = "MODEL IMAGE|DATA...",
                    .summary = "Go on learning from new good images of the same cloth",
                    .text = "The old images are not needed. Name images, folders of good images, "
                            "or one data set,\nwhose good training images are taken. Images that "
                            "look defective are refused.",
                    .missing = {NO_MODEL,
                                "name the new good images, a folder with them, or a data set"},
                    .least_operands = 2,
                    .most_operands = SIZE_MAX,
                    .options = update_options,
                    .option_count = COUNT(update_options),
                    .examples = "burl update cloth.burl lot-2/good\n"
                                "burl update cloth.burl a.png b.png -o newer.burl\n"},
    [CLI_EMBED] = {.name = "embed",
                   .operands = "[MODEL] IMAGE",
                   .summary = "Patch embeddings of an image, for research",
                   .text = "By the encoder of MODEL, or by pretrained networks alone "
                           "(--encoder). Writes NumPy files\n(float32) of shape (rows, columns, "
                           "dimension); cell (i,j) is centred at pixel (i*stride, j*stride).",
                   .missing = {"name the image to embed (IMAGE)"},
                   .least_operands = 1,
                   .most_operands = 2,
                   .options = embed_options,
                   .option_count = COUNT(embed_options),
                   .examples = "burl embed cloth.burl a.png -o a.npy --group fine\n"
                               "burl embed --encoder resnet18:weights.safetensors a.png -o "
                               "a.npy\n"},
    [CLI_INFO] = {.name = "info",
                  .operands = "MODEL",
                  .summary = "What a model holds",
                  .missing = {NO_MODEL},
                  .least_operands = 1,
                  .most_operands = 1,
                  .options = info_options,
                  .option_count = COUNT(info_options),
                  .examples = "burl info cloth.burl\n"
                              "burl info cloth.burl --json\n"
                              "burl info cloth.burl --gallery known\n"},
};

const cli_command *burl_cli_get_command(size_t i) {
  _Static_assert(BURL_WEAVE_COUNT + 2 <= CLI_MAX_CHOICES, "room for all weaves, all and NULL");
  return &commands[i];
}

int burl_cli_find_command(const char *name) {
  for (int i = 0; i < CLI_COMMAND_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0) return i;
  return -1;
}

int burl_cli_nearest_command(const char *name) {
  const char *names[CLI_COMMAND_COUNT];
  for (int i = 0; i < CLI_COMMAND_COUNT; i++)
    names[i] = commands[i].name;
  return burl_cli_nearest(name, names, CLI_COMMAND_COUNT);
}
