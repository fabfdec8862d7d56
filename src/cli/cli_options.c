/* The reader of command lines.
 *
 * One pass over the arguments: long options with "=" or a following value, grouped short options,
 * "--" ends the options, everything else is an operand, in any order. An argument that looks like
 * an option is never taken as a value, so a forgotten value is noticed where it is missing. The
 * first thing that is not understood ends the reading with one sentence.
 */
#include "cli_options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arguments still to be read, and where to put a complaint. */
typedef struct reader {
  const cli_command *command;
  cli_values *values;
  char *error;
  size_t size;
  int count, next;
  const char *const *arguments;
} reader;

static int complain(reader *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int complain(reader *self, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(self->error, self->size, format, args);
  va_end(args);
  return 0;
}

static size_t smallest(size_t a, size_t b, size_t c) {
  size_t least = a < b ? a : b;
  return least < c ? least : c;
}

#define LONGEST_NAME 40

/* Levenshtein distance of two names of at most LONGEST_NAME characters. */
static size_t spelling_distance(const char *a, const char *b) {
  size_t row[LONGEST_NAME + 1], n = strlen(a), m = strlen(b);
  for (size_t j = 0; j <= m; j++)
    row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t above = row[j];
      row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[m];
}

int burl_cli_nearest(const char *name, const char *const *candidates, size_t count) {
  size_t n = strlen(name), best = SIZE_MAX;
  int nearest = -1;
  if (n == 0 || n > LONGEST_NAME) return -1;
  for (size_t i = 0; i < count; i++) {
    if (strlen(candidates[i]) > LONGEST_NAME) continue;
    size_t distance = spelling_distance(name, candidates[i]);
    if (n >= 2 && strncmp(name, candidates[i], n) == 0) distance = 0; /* a beginning of it */
    if (distance >= best || distance > (n < 4 ? 1 : 1 + n / 3)) continue;
    best = distance;
    nearest = (int)i;
  }
  return nearest;
}

static int unknown_option(reader *self, const char *name) {
  const char *names[CLI_ID_COUNT];
  size_t count = 0;
  for (; count < self->command->option_count && count < CLI_ID_COUNT; count++)
    names[count] = self->command->options[count].name;
  int nearest = burl_cli_nearest(name, names, count);
  if (nearest >= 0)
    return complain(self, "there is no option --%s; did you mean --%s?", name, names[nearest]);
  return complain(self, "there is no option --%s; \"burl %s --help\" lists the options", name,
                  self->command->name);
}

/* Digits alone, in least..most: what strtoull takes beyond that (signs, spaces) is not a number
 * here. */
static int read_digits(uint64_t *whole, const char *text, const char *end) {
  uint64_t value = 0;
  if (text == end) return 0;
  for (; text < end; text++) {
    if (*text < '0' || *text > '9') return 0;
    uint64_t digit = (uint64_t)(*text - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  *whole = value;
  return 1;
}

static int read_whole(reader *self, const cli_option *option, cli_value *value, const char *text) {
  uint64_t whole;
  const char *digits = text + (text[0] == '-');
  if (!read_digits(&whole, digits, digits + strlen(digits)))
    return complain(self, "--%s takes a whole number, not \"%s\"", option->name, text);
  if (digits != text || whole < option->least || whole > option->most)
    return complain(self, "--%s must be from %" PRIu64 " to %" PRIu64 ", not %s", option->name,
                    option->least, option->most, text);
  value->whole = whole;
  return 1;
}

static int read_real(reader *self, const cli_option *option, cli_value *value, const char *text) {
  char *end = NULL;
  double real = strtod(text, &end);
  if (end == text || *end || strspn(text, "0123456789.eE+-") != strlen(text))
    return complain(self, "--%s takes a number, not \"%s\"", option->name, text);
  if (!(real >= option->low && real <= option->high))
    return complain(self, "--%s must be from %g to %g, not %s", option->name, option->low,
                    option->high, text);
  value->real = real;
  return 1;
}

static int read_choice(reader *self, const cli_option *option, cli_value *value, const char *text) {
  char list[128] = "";
  for (size_t i = 0; i < CLI_MAX_CHOICES && option->choices[i]; i++) {
    if (strcmp(option->choices[i], text) == 0) {
      value->choice = i;
      return 1;
    }
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", option->choices[i]);
  }
  return complain(self, "--%s is one of %s, not \"%s\"", option->name, list, text);
}

static int read_extent(reader *self, const cli_option *option, cli_value *value, const char *text) {
  uint64_t height, width;
  const char *cross = strchr(text, 'x'), *end = text + strlen(text);
  int good = read_digits(&height, text, cross ? cross : end);
  width = height;
  if (good && cross) good = read_digits(&width, cross + 1, end);
  if (!good)
    return complain(self, "--%s takes HEIGHTxWIDTH or one number for both, not \"%s\"",
                    option->name, text);
  if (height < option->least || height > option->most || width < option->least ||
      width > option->most)
    return complain(self, "--%s: each side must be from %" PRIu64 " to %" PRIu64 ", not %s",
                    option->name, option->least, option->most, text);
  value->height = (size_t)height;
  value->width = (size_t)width;
  return 1;
}

static int read_value(reader *self, const cli_option *option, const char *text) {
  cli_value *value = &self->values->option[option->id];
  if (value->given) return complain(self, "--%s is given twice", option->name);
  if (!text[0]) return complain(self, "--%s has an empty value", option->name);
  value->given = 1;
  value->text = text;
  switch (option->kind) {
  case CLI_WHOLE:
    return read_whole(self, option, value, text);
  case CLI_REAL:
    return read_real(self, option, value, text);
  case CLI_CHOICE:
    return read_choice(self, option, value, text);
  case CLI_EXTENT:
    return read_extent(self, option, value, text);
  case CLI_FLAG:
  case CLI_TEXT:
    break;
  }
  return 1;
}

/* "-", and negative numbers, are values; "-x" and "--x" are options. */
static int looks_like_option(const char *text) {
  return text[0] == '-' && text[1] && !(text[1] >= '0' && text[1] <= '9') && text[1] != '.';
}

/* The value of an option whose value is the next argument. */
static int read_next(reader *self, const cli_option *option) {
  if (self->next >= self->count)
    return complain(self, "--%s needs a value (%s)", option->name, option->value);
  const char *text = self->arguments[self->next];
  if (looks_like_option(text) && option->kind != CLI_TEXT)
    return complain(self, "--%s needs a value (%s) before %s", option->name, option->value, text);
  if (looks_like_option(text))
    return complain(self, "--%s needs a name (%s) before %s; write --%s=%s if that is the name",
                    option->name, option->value, text, option->name, text);
  self->next++;
  return read_value(self, option, text);
}

static int read_long(reader *self, const char *name) {
  const char *equals = strchr(name, '=');
  size_t n = equals ? (size_t)(equals - name) : strlen(name);
  for (size_t i = 0; i < self->command->option_count; i++) {
    const cli_option *option = &self->command->options[i];
    if (strncmp(option->name, name, n) != 0 || option->name[n]) continue;
    if (option->kind != CLI_FLAG)
      return equals ? read_value(self, option, equals + 1) : read_next(self, option);
    if (equals) return complain(self, "--%s takes no value", option->name);
    self->values->option[option->id].given = 1;
    return 1;
  }
  char plain[LONGEST_NAME + 2];
  snprintf(plain, sizeof plain, "%.*s", n > LONGEST_NAME ? LONGEST_NAME : (int)n, name);
  return unknown_option(self, plain);
}

static const cli_option *find_letter(const cli_command *command, char letter) {
  for (size_t i = 0; i < command->option_count; i++)
    if (command->options[i].letter && command->options[i].letter == letter)
      return &command->options[i];
  return NULL;
}

/* -q, -qh, -o DIR, -oDIR. */
static int read_short(reader *self, const char *letters) {
  for (; *letters; letters++) {
    const cli_option *option = find_letter(self->command, *letters);
    if (!option) {
      int shown = (unsigned char)*letters < 0x80; /* else a part of a longer character */
      return complain(self, "there is no option -%s; \"burl %s --help\" lists the options",
                      shown ? (char[2]){*letters, '\0'} : letters, self->command->name);
    }
    if (option->kind == CLI_FLAG) {
      self->values->option[option->id].given = 1;
      continue;
    }
    if (letters[1] == '=')
      return complain(self, "write -%c %s or --%s=%s", option->letter, option->value, option->name,
                      option->value);
    return letters[1] ? read_value(self, option, letters + 1) : read_next(self, option);
  }
  return 1;
}

static int too_many(reader *self, const char *text) {
  const cli_command *command = self->command;
  char output[32] = "";
  for (size_t i = 0; i < command->option_count; i++)
    if (command->options[i].required)
      snprintf(output, sizeof output, " -%c %s", command->options[i].letter,
               command->options[i].value);
  return complain(self, "\"%s\" is one name too many; usage: burl %s%s%s%s", text, command->name,
                  command->operands[0] ? " " : "", command->operands, output);
}

static int read_operand(reader *self, const char *text) {
  const cli_command *command = self->command;
  cli_values *values = self->values;
  if (!text[0]) return complain(self, "an empty name is no file or folder");
  if (values->operand_count >= command->most_operands) return too_many(self, text);
  values->operands[values->operand_count++] = text;
  return 1;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, for there may be as many operands as the system lets a command line hold. */
static int check_repeated(reader *self) {
  const char **sorted = self->values->scratch;
  size_t count = self->values->operand_count;
  if (count < 2) return 1;
  memcpy(sorted, self->values->operands, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_text);
  for (size_t i = 1; i < count; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0)
      return complain(self, "\"%s\" is named twice", sorted[i]);
  return 1;
}

/* What must be there but is not. */
static int check_complete(reader *self) {
  const cli_command *command = self->command;
  if (self->values->operand_count < command->least_operands)
    return complain(self, "%s", command->missing[self->values->operand_count]);
  for (size_t i = 0; i < command->option_count; i++) {
    const cli_option *option = &command->options[i];
    if (!option->required || self->values->option[option->id].given) continue;
    return complain(self, "name the output with -%c %s", option->letter, option->value);
  }
  return 1;
}

int burl_cli_parse(cli_values *values, char *error, size_t size, const cli_command *command,
                   int count, const char *const *arguments) {
  reader self = {.command = command,
                 .values = values,
                 .error = error,
                 .size = size,
                 .count = count,
                 .arguments = arguments};
  int options_ended = 0;
  values->operand_count = 0;
  while (self.next < count) {
    const char *text = arguments[self.next++];
    int good = 1;
    if (!options_ended && strcmp(text, "--") == 0)
      options_ended = 1;
    else if (!options_ended && strncmp(text, "--", 2) == 0)
      good = read_long(&self, text + 2);
    else if (!options_ended && text[0] == '-' && text[1])
      good = read_short(&self, text + 1);
    else
      good = read_operand(&self, text);
    if (!good) return 0;
    if (values->option[CLI_HELP].given) return 1;
  }
  return check_repeated(&self) && check_complete(&self);
}
