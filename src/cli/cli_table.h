/* cli_table.h: the commands of burl, as one table. */
#ifndef BURL_CLI_TABLE_H
#define BURL_CLI_TABLE_H

#include "cli_options.h"

/* In the order of the table: what cli_main.c keeps its functions by. */
typedef enum cli_command_id {
  CLI_CHECK,
  CLI_FIT,
  CLI_SCORE,
  CLI_EVAL,
  CLI_COMPARE,
  CLI_DETECT,
  CLI_SYNTH,
  CLI_TUNE,
  CLI_UPDATE,
  CLI_EMBED,
  CLI_INFO,
  CLI_COMMAND_COUNT
} cli_command_id;

/* Command i < CLI_COMMAND_COUNT. */
const cli_command *burl_cli_get_command(size_t i);
/* The index of a command by its name, -1 if there is none. */
int burl_cli_find_command(const char *name);
/* The index of the command whose name is nearest in spelling, -1 if none is near. */
int burl_cli_nearest_command(const char *name);

#endif
