/* cli_console.h: what the tool says on standard error, and the clock. */
#ifndef BURL_CLI_CONSOLE_H
#define BURL_CLI_CONSOLE_H

#include <burl/base.h>

/* Exit status of the tool. */
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_MISUSED = 2, CLI_FOUND = 3 };

typedef struct cli_console {
  int quiet;          /* no progress, notes or summary */
  int shows_progress; /* standard error is a terminal and quiet is 0 */
  int line_is_open;   /* a progress line is shown that must be wiped before anything else */
  char stage[32];
  double stage_start, last_shown;
} cli_console;

void burl_cli_console_start(cli_console *self, int quiet);
/* Prints problems and progress; `self` must outlive it. */
burl_observer burl_cli_console_observe(cli_console *self);

/* "burl: PATH: REASON. HINT" */
void burl_cli_problem(cli_console *self, const burl_diag *diag);
/* The same; returns CLI_FAILED. */
int burl_cli_fail(cli_console *self, const burl_diag *diag);
/* "burl: TEXT", unless quiet. */
void burl_cli_note(cli_console *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "burl COMMAND: TEXT" ("burl: TEXT" where command is NULL); returns CLI_MISUSED. */
int burl_cli_misuse(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Where images were left out, "burl: 2 of 30 images were left out"; CLI_FAILED then, else CLI_DONE.
 */
int burl_cli_count_left_out(cli_console *self, size_t left_out, size_t total);

/* Fills diag and returns status. path and hint may be NULL. */
burl_status burl_cli_diagnose(burl_diag *diag, burl_status status, const char *path,
                              const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* BURL_ERR_MEMORY, said. */
burl_status burl_cli_no_memory(burl_diag *diag);
/* A diagnosis of the status alone, for functions that give no other; BURL_OK stays as it is. */
burl_status burl_cli_explain_status(burl_diag *diag, burl_status status, const char *path);

/* Seconds of a steady clock. */
double burl_cli_clock(void);
/* "s" unless count is 1. */
const char *burl_cli_plural(size_t count);

#endif
