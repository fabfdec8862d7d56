/* Help is printed from the option table; ranges and defaults come from the same fields that the
 * reader checks against, so help cannot promise what the reader refuses. */
#include "cli_help.h"

#include "cli_table.h"

#include <burl/base.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDENT 28 /* where the explanation of an option begins */
#define WIDTH 80

void burl_cli_print_overview(void) {
  printf(
      "burl %s: learns what good cloth looks like and finds what does not belong\n\n"
      "Usage: burl COMMAND ...\n\nCommands:\n",
      burl_version());
  for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
    const cli_command *command = burl_cli_get_command(i);
    printf("  %-8s%-21s %s\n", command->name, command->operands, command->summary);
  }
  printf("  %-8s%-21s %s\n\n", "help", "[COMMAND]", "Explain a command, with examples");
  printf(
      "Options:\n"
      "  -h, --help    Show this help\n"
      "      --version Show the version\n\n"
      "From nothing to a report:\n"
      "  burl synth -o sample\n"
      "  burl fit sample -o sample.burl\n"
      "  burl eval sample.burl sample -o report\n\n"
      "Exit status: 0 done, 1 a failure or an image left out, 2 a usage error.\n");
}

/* "; 1 to 256" and the like, then "; default 4". Begins with "; ", empty where there is nothing. */
static void describe_value(char *text, size_t size, const cli_option *option,
                           const cli_value *value) {
  size_t used = 0;
  text[0] = '\0';
  if (option->required) snprintf(text, size, "; required");
  if (option->kind == CLI_WHOLE || option->kind == CLI_EXTENT)
    snprintf(text, size, "; %" PRIu64 " to %" PRIu64, option->least, option->most);
  if (option->kind == CLI_REAL) snprintf(text, size, "; %g to %g", option->low, option->high);
  for (size_t i = 0; option->kind == CLI_CHOICE && option->choices[i]; i++) {
    used = strlen(text);
    snprintf(text + used, size - used, "%s%s", i ? ", " : "; ", option->choices[i]);
  }
  if (!value->preset) return;
  used = strlen(text);
  if (option->kind == CLI_WHOLE)
    snprintf(text + used, size - used, "; default %" PRIu64, value->whole);
  else if (option->kind == CLI_REAL)
    snprintf(text + used, size - used, "; default %g", value->real);
  else if (option->kind == CLI_CHOICE)
    snprintf(text + used, size - used, "; default %s", option->choices[value->choice]);
  else if (option->kind == CLI_EXTENT)
    snprintf(text + used, size - used, "; default %zux%zu", value->height, value->width);
}

/* Prints words from column INDENT on, breaking lines before WIDTH. */
static void print_wrapped(const char *text) {
  size_t column = INDENT;
  while (*text) {
    size_t word = strcspn(text, " ");
    if (column > INDENT && column + 1 + word > WIDTH) {
      printf("\n%*s", INDENT, "");
      column = INDENT;
    } else if (column > INDENT) {
      putchar(' ');
      column++;
    }
    printf("%.*s", (int)word, text);
    column += word;
    text += word + strspn(text + word, " ");
  }
  putchar('\n');
}

static void print_option(const cli_option *option, const cli_value *value) {
  char name[64], range[160], text[512];
  char letter[] = {'-', option->letter, ',', ' ', '\0'};
  snprintf(name, sizeof name, "%s--%s%s%s", option->letter ? letter : "    ", option->name,
           option->value ? " " : "", option->value ? option->value : "");
  describe_value(range, sizeof range, option, value);
  snprintf(text, sizeof text, "%s%s%s%s", option->help, range[0] ? " (" : "",
           range[0] ? range + 2 : "", range[0] ? ")" : "");
  printf("  %-*s", INDENT - 2, name);
  print_wrapped(text);
}

void burl_cli_print_help(const cli_command *command, const cli_values *values) {
  printf("%s\n\nUsage: burl %s%s%s", command->summary, command->name,
         command->operands[0] ? " " : "", command->operands);
  for (size_t i = 0; i < command->option_count; i++)
    if (command->options[i].required)
      printf(" -%c %s", command->options[i].letter, command->options[i].value);
  printf(" [options]\n");
  if (command->text) printf("\n%s\n", command->text);
  printf("\nOptions:\n");
  for (size_t i = 0; i < command->option_count; i++)
    print_option(&command->options[i], &values->option[command->options[i].id]);
  printf("\nExamples:\n");
  for (const char *line = command->examples; *line;) {
    size_t n = strcspn(line, "\n");
    printf("  %.*s\n", (int)n, line);
    line += n + (line[n] == '\n');
  }
}
