/* burl info: what a model says of itself. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_gallery.h"

#include <burl/model_heads.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_networks(const burl_model *model, size_t count) {
  for (size_t i = 0; i < count; i++) {
    burl_model_network network;
    burl_model_get_network(model, i, &network);
    printf("network        %s, layers ", network.name);
    for (size_t l = 0; l < network.layer_count; l++)
      printf(l > 0 ? ",%d" : "%d", network.layers[l]);
    printf(", weights %s %s%s\n", network.hash, network.embedded ? "embedded, from " : "",
           network.file);
  }
}

/* Weights in hundredths, in the order of the groups. */
static void print_heads(const burl_model *model, const burl_model_info *info) {
  double *weights = calloc(info->groups + 1, sizeof *weights);
  if (info->heads + info->dropped_heads > 0 && weights)
    printf("heads          kind         smoothing  precision  equal weights  weights %%\n");
  for (size_t i = 0; i < info->heads + info->dropped_heads && weights; i++) {
    burl_model_head head;
    burl_model_get_head(model, i, &head, weights);
    if (head.kind == BURL_KIND_NONE)
      printf("               (all kinds)  %6.0f px                            ", head.sigma);
    else
      printf("               %-11s  %6.0f px  %9.3f  %13.3f ", burl_kind_get_name(head.kind),
             head.sigma, head.ap, head.equal_ap);
    for (size_t g = 0; g < info->groups; g++)
      printf(" %2.0f", 100.0 * weights[g]);
    printf(i >= info->heads ? "  dropped\n" : "\n");
  }
  free(weights);
}

static void print_info(const burl_model *model) {
  burl_model_info info;
  burl_model_get_info(model, &info);
  printf("format         %d, written by burl %s\n", info.format_version, info.burl_version);
  printf("encoder        %s\n", info.encoder);
  print_networks(model, info.networks);
  printf("images         %zu good image%s, checksum %08" PRIx32 "\n", info.images,
         burl_cli_plural(info.images), info.data_checksum);
  printf("updates        %zu\n", info.updates);
  printf("threshold      %.6g (90 %% interval %.6g to %.6g), from %zu held-out score%s\n",
         info.threshold, info.threshold_low, info.threshold_high, info.calibration_images,
         burl_cli_plural(info.calibration_images));
  printf("typical        %.6g\n", info.typical);
  printf("false alarm    %g\n", info.options.false_alarm);
  for (size_t i = 0; i < burl_settings_get_count(); i++) {
    char value[32];
    if (!burl_settings_has_part(&info.options.bank, i)) continue;
    burl_settings_get(value, sizeof value, &info.options.bank, i);
    printf("%-14s %s\n", burl_settings_get_name(i), value);
  }
  for (size_t i = 0; i < info.aside; i++)
    printf("%-14s %s\n", i ? "" : "set aside", burl_model_get_aside(model, i));
  print_heads(model, &info);
  printf("gallery        %s\n", burl_model_has_gallery(model) ? "yes" : "no");
  printf("groups         name       stride  dimension  prototypes  local\n");
  for (size_t i = 0; i < info.groups; i++) {
    burl_model_group group;
    burl_model_get_group(model, i, &group);
    printf("               %-9s %7zu  %9zu  %10zu  %5zu\n", group.name, group.stride,
           group.dimension, group.prototypes, group.local);
  }
}

int burl_cli_run_info(const cli_values *values) {
  cli_console console;
  burl_cli_console_start(&console, 0);
  burl_diag diag = {0};
  burl_model *model = NULL;
  if (burl_model_load_with(&model, values->operands[0], values->option[CLI_ENCODER].text, &diag) !=
      BURL_OK)
    return burl_cli_fail(&console, &diag);
  const char *gallery = values->option[CLI_GALLERY].text;
  if (gallery && burl_cli_gallery_save(model, values->operands[0], gallery, &diag) != BURL_OK) {
    burl_model_free(model);
    return burl_cli_fail(&console, &diag);
  }
  if (values->option[CLI_JSON].given)
    printf("%s\n", burl_model_get_json(model));
  else
    print_info(model);
  burl_model_free(model);
  return CLI_DONE;
}
