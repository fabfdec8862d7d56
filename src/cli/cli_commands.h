/* cli_commands.h: the commands. Each file cli_NAME.c has a function that sets the defaults that
 * help shows, where there are any, and one that does the work and returns the exit status. */
#ifndef BURL_CLI_COMMANDS_H
#define BURL_CLI_COMMANDS_H

#include "cli_options.h"

int burl_cli_run_check(const cli_values *values);
int burl_cli_run_compare(const cli_values *values);
int burl_cli_run_detect(const cli_values *values);
int burl_cli_run_embed(const cli_values *values);
int burl_cli_run_eval(const cli_values *values);
int burl_cli_run_fit(const cli_values *values);
int burl_cli_run_info(const cli_values *values);
int burl_cli_run_score(const cli_values *values);
int burl_cli_run_synth(const cli_values *values);
int burl_cli_run_tune(const cli_values *values);
int burl_cli_run_synth_on(const cli_values *values); /* --on */
int burl_cli_run_update(const cli_values *values);

void burl_cli_preset_compare(cli_values *values);
void burl_cli_preset_detect(cli_values *values);
void burl_cli_preset_eval(cli_values *values);
void burl_cli_preset_fit(cli_values *values);
void burl_cli_preset_synth(cli_values *values);
void burl_cli_preset_tune(cli_values *values);

#endif
