/* cli_help.h: help from the option table, on standard output. */
#ifndef BURL_CLI_HELP_H
#define BURL_CLI_HELP_H

#include "cli_options.h"

void burl_cli_print_overview(void);
/* values: with the presets of the command. */
void burl_cli_print_help(const cli_command *command, const cli_values *values);

#endif
