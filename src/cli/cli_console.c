/* Messages. Problems are one line each, whatever the names in them contain. Progress is one line
 * that is rewritten in place, only where a person is looking at a terminal. */
#include "cli_console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_BETWEEN_LINES 0.1

double burl_cli_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *burl_cli_plural(size_t count) {
  return count == 1 ? "" : "s";
}

void burl_cli_console_start(cli_console *self, int quiet) {
  *self = (cli_console){.quiet = quiet, .shows_progress = !quiet && isatty(STDERR_FILENO)};
}

static void wipe_progress(cli_console *self) {
  if (self->line_is_open) fputs("\r\033[K", stderr);
  self->line_is_open = 0;
}

void burl_cli_problem(cli_console *self, const burl_diag *diag) {
  char text[2048];
  burl_diag_format(text, sizeof text, diag);
  wipe_progress(self);
  fprintf(stderr, "burl: %s\n", text);
}

int burl_cli_fail(cli_console *self, const burl_diag *diag) {
  burl_cli_problem(self, diag);
  return CLI_FAILED;
}

/* One line: control characters, which names may contain, become '?'. */
static void print_line(const char *command, char *text) {
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
  fprintf(stderr, "burl%s%s: %s\n", command ? " " : "", command ? command : "", text);
}

void burl_cli_note(cli_console *self, const char *format, ...) {
  char text[2048];
  va_list args;
  if (self->quiet) return;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  wipe_progress(self);
  print_line(NULL, text);
}

int burl_cli_misuse(const char *command, const char *format, ...) {
  char text[2048];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  print_line(command, text);
  return CLI_MISUSED;
}

int burl_cli_count_left_out(cli_console *self, size_t left_out, size_t total) {
  wipe_progress(self);
  if (left_out == 0) return CLI_DONE;
  fprintf(stderr, "burl: %zu of %zu image%s %s left out\n", left_out, total, burl_cli_plural(total),
          left_out == 1 ? "was" : "were");
  return CLI_FAILED;
}

static void show_progress(void *context, const char *stage, size_t done, size_t total) {
  cli_console *self = context;
  if (!self->shows_progress) return;
  double now = burl_cli_clock();
  if (strncmp(self->stage, stage, sizeof self->stage - 1) != 0) {
    snprintf(self->stage, sizeof self->stage, "%s", stage);
    self->stage_start = now;
    self->last_shown = 0;
  }
  if (done >= total) {
    wipe_progress(self);
    self->stage[0] = '\0';
    return;
  }
  if (now - self->last_shown < SECONDS_BETWEEN_LINES) return;
  self->last_shown = now;
  self->line_is_open = 1;
  fprintf(stderr, "\r%s", self->stage);
  if (total > 1) fprintf(stderr, ": %zu of %zu", done, total);
  double spent = now - self->stage_start;
  double left = done > 0 ? spent * (double)(total - done) / (double)done : 0;
  if (spent > 1 && left >= 1) fprintf(stderr, ", about %.0f s left", left);
  fputs("\033[K", stderr);
}

static void show_problem(void *context, const burl_diag *diag) {
  burl_cli_problem(context, diag);
}

burl_observer burl_cli_console_observe(cli_console *self) {
  return (burl_observer){.context = self, .progress = show_progress, .problem = show_problem};
}

burl_status burl_cli_diagnose(burl_diag *diag, burl_status status, const char *path,
                              const char *hint, const char *format, ...) {
  va_list args;
  *diag = (burl_diag){.status = status, .offset = -1};
  snprintf(diag->path, sizeof diag->path, "%s", path ? path : "");
  snprintf(diag->hint, sizeof diag->hint, "%s", hint ? hint : "");
  va_start(args, format);
  vsnprintf(diag->reason, sizeof diag->reason, format, args);
  va_end(args);
  return status;
}

burl_status burl_cli_no_memory(burl_diag *diag) {
  return burl_cli_diagnose(diag, BURL_ERR_MEMORY, NULL,
                           "Close other programs or use fewer threads.", "not enough memory");
}

burl_status burl_cli_explain_status(burl_diag *diag, burl_status status, const char *path) {
  if (status == BURL_OK) return status;
  if (status == BURL_ERR_MEMORY) return burl_cli_no_memory(diag);
  return burl_cli_diagnose(diag, status, path, NULL, "%s", burl_status_get_text(status));
}
