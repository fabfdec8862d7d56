/* cli_options.h: the option table's types and the reader of command lines.
 *
 * Every command is one row of the table in cli_table.c. The table drives reading, --help, and
 * (checked by tests) the man page and the shell completion. The reader prints nothing and touches
 * no file.
 */
#ifndef BURL_CLI_OPTIONS_H
#define BURL_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* One for each option of any command; the place of its value in cli_values. */
typedef enum cli_id {
  CLI_HELP,
  CLI_QUIET,
  CLI_OUTPUT,
  CLI_THREADS,
  CLI_SEED,
  CLI_ENCODER,
  CLI_LAYERS,
  CLI_EMBED_ENCODER,
  CLI_GROUP,
  CLI_METHOD,
  CLI_SET,
  CLI_PROTOTYPES,
  CLI_POWER,
  CLI_TRIM,
  CLI_CLEAN,
  CLI_SPATIAL,
  CLI_SPATIAL_WEIGHT,
  CLI_FALSE_ALARM,
  CLI_NO_GALLERY,
  CLI_NO_AUTO,
  CLI_ON,
  CLI_RAW,
  CLI_NO_PICTURES,
  CLI_EXPLAIN,
  CLI_MASK_THRESHOLD,
  CLI_WEAVE,
  CLI_PRINT,
  CLI_REPEAT,
  CLI_TRAIN,
  CLI_TEST_GOOD,
  CLI_PER_DEFECT,
  CLI_SIZE,
  CLI_COLOUR,
  CLI_JSON,
  CLI_FORCE,
  CLI_GALLERY,
  CLI_FORMAT,
  CLI_PRO_LIMIT,
  CLI_BOXES,
  CLI_TOP,
  CLI_MIN_SCORE,
  CLI_FAIL_ABOVE,
  CLI_NMS,
  CLI_MM_PER_PX,
  CLI_ID_COUNT
} cli_id;

typedef enum cli_kind {
  CLI_FLAG,   /* no value */
  CLI_TEXT,   /* a name, not empty */
  CLI_WHOLE,  /* a whole number in least..most */
  CLI_REAL,   /* a decimal number in low..high */
  CLI_CHOICE, /* one of `choices` */
  CLI_EXTENT  /* HEIGHTxWIDTH or one number for both, each in least..most */
} cli_kind;

#define CLI_MAX_CHOICES 12

typedef struct cli_option {
  cli_id id;
  char letter; /* short form, 0 if there is none */
  int required;
  cli_kind kind;
  const char *name;  /* long form without the dashes */
  const char *value; /* what help calls its value, NULL for a flag */
  const char *help;  /* without range and default, which help adds */
  uint64_t least, most;
  double low, high;
  const char *choices[CLI_MAX_CHOICES]; /* ends with NULL */
} cli_option;

typedef struct cli_command {
  const char *name;
  const char *operands;   /* as help shows them: "MODEL IMAGE|FOLDER..." */
  const char *summary;    /* one line */
  const char *text;       /* some sentences, NULL if the summary says it all */
  const char *missing[2]; /* what to say when operand 0 or 1 is not there */
  size_t least_operands, most_operands;
  const cli_option *options;
  size_t option_count;
  const char *examples; /* lines "burl ..." */
} cli_command;

typedef struct cli_value {
  int given;  /* read from the command line */
  int preset; /* a default was set */
  const char *text;
  uint64_t whole;
  double real;
  size_t choice;
  size_t height, width;
} cli_value;

typedef struct cli_values {
  cli_value option[CLI_ID_COUNT];
  const char **operands; /* room for every argument, from the caller */
  const char **scratch;  /* the same room again */
  size_t operand_count;
} cli_values;

/* Reads the arguments that follow the command's name into values, whose presets stay where an
 * option is not given. Stops at --help. Returns 1, or 0 with one clear sentence in error (size
 * bytes, size > 0). */
int burl_cli_parse(cli_values *values, char *error, size_t size, const cli_command *command,
                   int count, const char *const *arguments);

/* The candidate nearest to `name` in spelling, -1 if none is near. */
int burl_cli_nearest(const char *name, const char *const *candidates, size_t count);

#endif
