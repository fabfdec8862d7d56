/* The reader of command lines: the first byte names the command, the rest are its arguments, one a
 * line. Whatever they are, the reader ends with one sentence or with values that the table allows.
 */
#include "cli/cli_options.h"
#include "cli/cli_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
  if (!condition) abort();
}

static void check_value(const cli_option *option, const cli_value *value) {
  if (!value->given) return;
  if (option->kind == CLI_FLAG) return;
  require(value->text && value->text[0]);
  if (option->kind == CLI_WHOLE)
    require(value->whole >= option->least && value->whole <= option->most);
  if (option->kind == CLI_REAL) require(value->real >= option->low && value->real <= option->high);
  if (option->kind == CLI_CHOICE)
    require(value->choice < CLI_MAX_CHOICES && option->choices[value->choice] &&
            strcmp(option->choices[value->choice], value->text) == 0);
  if (option->kind == CLI_EXTENT)
    require(value->height >= option->least && value->height <= option->most &&
            value->width >= option->least && value->width <= option->most);
}

static void check_result(const cli_command *command, const cli_values *values, int good,
                         const char *error) {
  if (!good) {
    require(error[0] != '\0');
    return;
  }
  for (size_t i = 0; i < command->option_count; i++)
    check_value(&command->options[i], &values->option[command->options[i].id]);
  if (values->option[CLI_HELP].given) return;
  require(values->operand_count >= command->least_operands);
  require(values->operand_count <= command->most_operands);
  for (size_t i = 0; i < values->operand_count; i++)
    require(values->operands[i][0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 1 << 16) return 0;
  const cli_command *command = burl_cli_get_command(data[0] % CLI_COMMAND_COUNT);
  char *text = malloc(size), error[256] = "";
  const char **arguments = calloc(3 * size, sizeof *arguments);
  if (!text || !arguments) abort();
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  int count = 0;
  for (char *line = text; line;) {
    char *end = strchr(line, '\n');
    if (end) *end++ = '\0';
    arguments[count++] = line;
    line = end;
  }
  cli_values values = {.operands = arguments + size, .scratch = arguments + 2 * size};
  int good = burl_cli_parse(&values, error, sizeof error, command, count, arguments);
  check_result(command, &values, good, error);
  free(arguments);
  free(text);
  return 0;
}
