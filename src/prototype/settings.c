/* Settings by name: one table knows every member of burl_bank_options, its range and its values. */
#include "base/diag.h"
#include <burl/prototype.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum setting_kind { CHOICE, SIZE, SEED, REAL, FLAG } setting_kind;

typedef struct setting {
  const char *name, *help;
  setting_kind kind;
  size_t offset;
  double low, high;   /* of SIZE and REAL */
  const char *values; /* of CHOICE: each followed by a space */
} setting;

#define AT(member) .name = #member, .offset = offsetof(burl_bank_options, member)
#define NAME_AND_SPACE(name, text) text " "
#define SPACE_AND_NAME(name, text) " " text
/* The help of a choice ends with its values, that of a number with its range. */
#define ONE_OF(list, text)                                                                         \
  .kind = CHOICE, .values = list(NAME_AND_SPACE), .help = text ":" list(SPACE_AND_NAME)
#define ON_OFF(text) .kind = FLAG, .values = "off on ", .help = text ": off on"
#define WITHIN(a, b, text) .low = a, .high = b, .help = text ", " #a ".." #b

static const setting settings[] = {
    {AT(method), ONE_OF(BURL_METHOD_LIST, "how the bank is learned")},
    {AT(prototypes), .kind = SIZE, WITHIN(1, 65536, "K, prototypes in each bank")},
    {AT(spatial), ONE_OF(BURL_SPATIAL_LIST, "what a patch's position is")},
    {AT(spatial_weight), .kind = REAL, WITHIN(0, 0.99, "w, share of the position in the cost")},
    {AT(seed), .kind = SEED, .help = "of random starts, any whole number"},
    {AT(outliers), .kind = REAL,
     WITHIN(0, 0.5, "share of the good images' area left out as least like the others")},
    {AT(clean), .kind = REAL,
     WITHIN(0, 100, "images so many robust deviations worse than the others are set aside")},
    {AT(start), ONE_OF(BURL_START_LIST, "where the steps of burl begin")},
    {AT(start_trim), .kind = REAL,
     WITHIN(0, 0.5, "share of the farthest patches never chosen at the start")},
    {AT(power), .kind = REAL, WITHIN(1, 16, "p of the transport cost d^p")},
    {AT(trim), .kind = REAL, WITHIN(0, 0.5, "share of the dearest mass left out of each plan")},
    {AT(marginals), ONE_OF(BURL_MARGINALS_LIST, "mass that each prototype receives")},
    {AT(entropy), .kind = REAL, WITHIN(1e-6, 1e6, "eps, where the median patch costs 1")},
    {AT(sweeps), .kind = SIZE, WITHIN(1, 1e6, "Sinkhorn sweeps a plan, at most")},
    {AT(steps), .kind = SIZE, WITHIN(0, 1e6, "damped barycentre steps")},
    {AT(batch), .kind = SIZE, WITHIN(1, 1e6, "patches in each step")},
    {AT(damping), .kind = REAL, WITHIN(1e-6, 1, "share of the way a step goes")},
    {AT(iterations), .kind = SIZE, WITHIN(1, 1e6, "of Lloyd's algorithm, at most (kmeans)")},
    {AT(shrinkage), .kind = REAL,
     WITHIN(1e-9, 1e6, "added to the covariance, in units of its mean eigenvalue (gaussian)")},
    {AT(radius), .kind = REAL,
     WITHIN(0, 1, "power of the relative radius that distances are divided by")},
    {AT(pradot.per_cell), .kind = REAL,
     WITHIN(0.001, 1024, "P, prototypes for each cell, whole from 1 on")},
    {AT(pradot.alpha), .kind = REAL,
     WITHIN(0, 1, "share of the place in the cost of local prototypes")},
    {AT(pradot.eps), .kind = REAL, WITHIN(1e-4, 1e6, "eps, where the largest cost is 1")},
    {AT(pradot.sweeps), .kind = SIZE, WITHIN(1, 1e6, "Sinkhorn sweeps a plan, at most")},
    {AT(pradot.ema), .kind = REAL, WITHIN(0, 1, "what stays of a prototype in an update")},
    {AT(pradot.batch), .kind = SIZE, WITHIN(1, 1e6, "images in each update")},
    {AT(pradot.epochs), .kind = SIZE, WITHIN(1, 1e5, "times that all images are gone through")},
    {AT(pradot.validation), .kind = REAL,
     WITHIN(0.01, 0.9, "share of the images held out for choosing the epoch and the threshold")},
    {AT(pradot.divisor), ONE_OF(BURL_PRADOT_DIVISOR_LIST, "costs of a fit over the largest of")},
    {AT(pradot.scale), ONE_OF(BURL_PRADOT_SCALE_LIST, "costs of scoring over the largest of")},
    {AT(pradot.start), ONE_OF(BURL_PRADOT_START_LIST, "where prototypes begin")},
    {AT(pradot.times_count), ON_OFF("maps times their number of prototypes")},
    {AT(pradot.drop_last), ON_OFF("fewer images than a batch make no update")},
    {AT(pradot.learn_positions), ON_OFF("places of prototypes move")},
    {AT(pradot.warm_start), ON_OFF("sweeps go on from the batch before")},
    {AT(pradot.corners), ON_OFF("corner cells of a map lie in the corners of the image")},
    {AT(pradot.side), .kind = SIZE, WITHIN(32, 1024, "images are brought to side x side pixels")},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

burl_bank_options burl_bank_default_options(void) {
  return (burl_bank_options){.method = BURL_METHOD_BURL,
                             .prototypes = 256,
                             .spatial = BURL_SPATIAL_NONE,
                             .spatial_weight = 0.7,
                             .seed = 1,
                             .outliers = 0.02,
                             .clean = 2.5,
                             .start = BURL_START_COVERAGE,
                             .start_trim = 0.002,
                             .power = 8.0,
                             .trim = 0.03,
                             .marginals = BURL_MARGINALS_NEAREST,
                             .entropy = 0.3,
                             .sweeps = 40,
                             .steps = 8,
                             .batch = 3000,
                             .damping = 0.25,
                             .iterations = 25,
                             .shrinkage = 0.01,
                             .radius = 0.0,
                             .pradot = {.per_cell = 16.0,
                                        .alpha = 0.3,
                                        .eps = 0.01,
                                        .sweeps = 100,
                                        .ema = 0.95,
                                        .batch = 64,
                                        .epochs = 50,
                                        .validation = 0.2,
                                        .times_count = 1,
                                        .corners = 1,
                                        .side = 224}};
}

#define NAME_ALONE(name, text) text,

const char *burl_method_get_name(burl_method method) {
  static const char *const names[] = {BURL_METHOD_LIST(NAME_ALONE)};
  return method < BURL_METHOD_COUNT ? names[method] : "?";
}

const char *burl_spatial_get_name(burl_spatial spatial) {
  static const char *const names[] = {BURL_SPATIAL_LIST(NAME_ALONE)};
  return spatial < BURL_SPATIAL_COUNT ? names[spatial] : "?";
}

size_t burl_settings_get_count(void) {
  return SETTINGS;
}

const char *burl_settings_get_name(size_t i) {
  return settings[i].name;
}

const char *burl_settings_get_help(size_t i) {
  return settings[i].help;
}

/* Word `index` of the values, with its length; NULL past the last. */
static const char *value_at(const char *values, int index, size_t *length) {
  for (; *values; values += *length + 1) {
    *length = strcspn(values, " ");
    if (index-- == 0) return values;
  }
  return NULL;
}

/* Every enumeration of burl_bank_options is as wide as an int, as C has it for these values. */
_Static_assert(sizeof(burl_method) == sizeof(int) && sizeof(burl_spatial) == sizeof(int) &&
                   sizeof(burl_start) == sizeof(int) && sizeof(burl_marginals) == sizeof(int) &&
                   sizeof(burl_pradot_divisor) == sizeof(int) &&
                   sizeof(burl_pradot_scale) == sizeof(int) &&
                   sizeof(burl_pradot_start) == sizeof(int),
               "choices are read and written as int");

/* Any number but 0 is on. */
static int choice_of(const burl_bank_options *options, const setting *s) {
  int choice;
  memcpy(&choice, (const char *)options + s->offset, sizeof choice);
  return s->kind == FLAG ? choice != 0 : choice;
}

static double number_of(const burl_bank_options *options, const setting *s) {
  const char *at = (const char *)options + s->offset;
  return s->kind == SIZE ? (double)*(const size_t *)(const void *)at
                         : *(const double *)(const void *)at;
}

/* The shortest of the texts of 1 to 17 digits that read as the same number. */
static void print_real(char *text, size_t size, double value) {
  char best[40], other[40];
  snprintf(best, sizeof best, "%.17g", value);
  for (int digits = 16; digits > 0; digits--) {
    snprintf(other, sizeof other, "%.*g", digits, value);
    if (strtod(other, NULL) == value && strlen(other) <= strlen(best))
      memcpy(best, other, sizeof best);
  }
  snprintf(text, size, "%s", best);
}

void burl_settings_get(char *text, size_t size, const burl_bank_options *options, size_t i) {
  const setting *s = &settings[i];
  const char *at = (const char *)options + s->offset;
  size_t length = 0;
  if (s->kind == CHOICE || s->kind == FLAG) {
    const char *value = value_at(s->values, choice_of(options, s), &length);
    snprintf(text, size, "%.*s", (int)length, value ? value : "?");
  } else if (s->kind == SIZE) {
    snprintf(text, size, "%zu", *(const size_t *)(const void *)at);
  } else if (s->kind == SEED) {
    snprintf(text, size, "%" PRIu64, *(const uint64_t *)(const void *)at);
  } else {
    print_real(text, size, *(const double *)(const void *)at);
  }
}

static burl_status set_choice(int *choice, const setting *s, const char *value, burl_diag *diag) {
  size_t length;
  if (s->kind == FLAG && (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)) {
    *choice = *value == '1';
    return BURL_OK;
  }
  const char *word;
  for (int i = 0; (word = value_at(s->values, i, &length)); i++)
    if (strlen(value) == length && memcmp(value, word, length) == 0) {
      *choice = i;
      return BURL_OK;
    }
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "%s is '%s', not one of: %.*s", s->name,
                   value, (int)strlen(s->values) - 1, s->values);
}

static burl_status check_number(const setting *s, double number, burl_diag *diag) {
  if (number >= s->low && number <= s->high) return BURL_OK;
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "%s is %g, not between %g and %g", s->name,
                   number, s->low, s->high);
}

/* Plain decimal numbers: no spaces, plus, hexadecimals, nan or inf, which strtod would take. */
static int is_number(const char *value, int whole) {
  if (whole) return *value && strspn(value, "0123456789") == strlen(value);
  return strspn(value, "0123456789.eE+-") == strlen(value) && *value && *value != '+';
}

static burl_status set_number(char *at, const setting *s, const char *value, burl_diag *diag) {
  int whole = s->kind != REAL;
  char *end = NULL;
  errno = 0;
  uint64_t count = whole ? strtoull(value, &end, 10) : 0;
  int too_large = whole && errno;
  double number = whole ? (double)count : strtod(value, &end);
  if (!is_number(value, whole) || *end || too_large)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "%s is '%s', which is not a %s number",
                     s->name, value, whole ? "whole" : "real");
  burl_status status = s->kind == SEED ? BURL_OK : check_number(s, number, diag);
  if (status != BURL_OK) return status;
  if (s->kind == SEED)
    *(uint64_t *)(void *)at = count;
  else if (s->kind == SIZE)
    *(size_t *)(void *)at = (size_t)count;
  else
    *(double *)(void *)at = number;
  return BURL_OK;
}

burl_status burl_settings_set(burl_bank_options *options, const char *name, const char *value,
                              burl_diag *diag) {
  for (size_t i = 0; i < SETTINGS; i++) {
    const setting *s = &settings[i];
    char *at = (char *)options + s->offset;
    if (strcmp(name, s->name) != 0) continue;
    if (s->kind != CHOICE && s->kind != FLAG) return set_number(at, s, value, diag);
    int choice = 0;
    burl_status status = set_choice(&choice, s, value, diag);
    if (status == BURL_OK) memcpy(at, &choice, sizeof choice);
    return status;
  }
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "The manual lists them under SETTINGS.",
                   "there is no setting named %s", name);
}

int burl_settings_has_part(const burl_bank_options *options, size_t i) {
  return settings[i].offset < offsetof(burl_bank_options, pradot) ||
         options->method == BURL_METHOD_PRADOT;
}

/* From 1 on prototypes are for each cell, below that for a coarser grid. */
static burl_status check_per_cell(double per_cell, burl_diag *diag) {
  if (per_cell < 1.0 || per_cell == floor(per_cell)) return BURL_OK;
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                   "pradot.per_cell is %g, which is neither below 1 nor whole", per_cell);
}

burl_status burl_settings_check(const burl_bank_options *options, burl_diag *diag) {
  for (size_t i = 0; i < SETTINGS; i++) {
    const setting *s = &settings[i];
    size_t length;
    burl_status status = BURL_OK;
    if (s->kind == CHOICE && !value_at(s->values, choice_of(options, s), &length))
      status = burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                         "%s is %d, which is not a value of it", s->name, choice_of(options, s));
    else if (s->kind == SIZE || s->kind == REAL)
      status = check_number(s, number_of(options, s), diag);
    if (status != BURL_OK) return status;
  }
  return check_per_cell(options->pradot.per_cell, diag);
}
