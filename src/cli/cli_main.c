/* burl: the tool. Finds the command, reads its options, runs it, and makes sure that what it
 * printed arrived. An interrupt ends it at once: outputs appear whole or not at all; what may stay
 * behind is a temporary file named after its output with ".part-" and a number. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_help.h"
#include "cli_table.h"

#include <burl/base.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  void (*preset)(cli_values *values);
  int (*run)(const cli_values *values);
} actions[] = {
    [CLI_CHECK] = {NULL, burl_cli_run_check},
    [CLI_FIT] = {burl_cli_preset_fit, burl_cli_run_fit},
    [CLI_SCORE] = {NULL, burl_cli_run_score},
    [CLI_EVAL] = {burl_cli_preset_eval, burl_cli_run_eval},
    [CLI_COMPARE] = {burl_cli_preset_compare, burl_cli_run_compare},
    [CLI_DETECT] = {burl_cli_preset_detect, burl_cli_run_detect},
    [CLI_SYNTH] = {burl_cli_preset_synth, burl_cli_run_synth},
    [CLI_TUNE] = {burl_cli_preset_tune, burl_cli_run_tune},
    [CLI_UPDATE] = {NULL, burl_cli_run_update},
    [CLI_EMBED] = {NULL, burl_cli_run_embed},
    [CLI_INFO] = {NULL, burl_cli_run_info},
};

static void preset(cli_values *values, int command) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  *values = (cli_values){0};
  values->option[CLI_THREADS].whole = processors < 1     ? 1
                                      : processors > 256 ? 256
                                                         : (uint64_t)processors;
  if (actions[command].preset) actions[command].preset(values);
}

static int unknown_command(const char *name) {
  int nearest = burl_cli_nearest_command(name);
  if (nearest >= 0)
    return burl_cli_misuse(NULL, "there is no command \"%s\"; did you mean \"%s\"?", name,
                           burl_cli_get_command((size_t)nearest)->name);
  return burl_cli_misuse(NULL, "there is no command \"%s\"; \"burl --help\" lists them", name);
}

static int run_command(int command, int count, const char *const *arguments) {
  const cli_command *row = burl_cli_get_command((size_t)command);
  cli_values values;
  char error[1024];
  preset(&values, command);
  const char **names = calloc(2 * (size_t)count + 1, sizeof *names);
  if (!names) {
    fprintf(stderr, "burl: not enough memory\n");
    return CLI_FAILED;
  }
  values.operands = names;
  values.scratch = names + count;
  int status = CLI_DONE;
  if (!burl_cli_parse(&values, error, sizeof error, row, count, arguments))
    status = burl_cli_misuse(row->name, "%s", error);
  else if (values.option[CLI_HELP].given)
    burl_cli_print_help(row, &values);
  else
    status = actions[command].run(&values);
  free(names);
  return status;
}

/* "burl help [COMMAND]" */
static int run_help(int count, const char *const *arguments) {
  if (count > 1) return burl_cli_misuse("help", "name one command, as in \"burl help fit\"");
  if (count == 0) {
    burl_cli_print_overview();
    return CLI_DONE;
  }
  int command = burl_cli_find_command(arguments[0]);
  if (command < 0) return unknown_command(arguments[0]);
  cli_values values;
  preset(&values, command);
  burl_cli_print_help(burl_cli_get_command((size_t)command), &values);
  return CLI_DONE;
}

static int run(int count, const char *const *arguments) {
  if (count == 0) return burl_cli_misuse(NULL, "name a command; \"burl --help\" lists them");
  const char *name = arguments[0];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    burl_cli_print_overview();
    return CLI_DONE;
  }
  if (strcmp(name, "--version") == 0) {
    printf("burl %s\n", burl_version());
    return CLI_DONE;
  }
  if (strcmp(name, "help") == 0) return run_help(count - 1, arguments + 1);
  if (name[0] == '-')
    return burl_cli_misuse(NULL,
                           "there is no option %s here; name a command first, as in "
                           "\"burl fit ...\"",
                           name);
  int command = burl_cli_find_command(name);
  return command < 0 ? unknown_command(name) : run_command(command, count - 1, arguments + 1);
}

/* A closed standard stream would be taken by the first file opened, and messages would end up in
 * it. */
static int keep_streams(void) {
  for (int file = 0; file <= 2; file++)
    if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != file) return 0;
  return 1;
}

int main(int argc, char **argv) {
  if (!keep_streams()) return CLI_FAILED;
  signal(SIGXFSZ, SIG_IGN); /* writing beyond a limit of file sizes fails instead of killing */
  burl_blas_set_threads(1);
  int status = run(argc > 0 ? argc - 1 : 0, (const char *const *)(argv + (argc > 0)));
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "burl: standard output cannot be written%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    if (status == CLI_DONE) status = CLI_FAILED;
  }
  return status;
}
