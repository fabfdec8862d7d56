/* Replays a corpus: every file of the folders named on the command line, and of each every
 * truncation and a sweep of single-byte changes, goes through the fuzz target. Exits with 1 where
 * there is nothing. The same targets run under libFuzzer: build them with clang -fsanitize=fuzzer
 * without this file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target sees an exact-size heap copy, so that AddressSanitizer notices every overrun. */
static void run(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) exit(1);
  memcpy(copy, data, size);
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static void run_variants(uint8_t *data, size_t size) {
  run(data, size);
  size_t step = size / 64 + 1;
  for (size_t n = 0; n < size; n += step)
    run(data, n);
  for (size_t i = 0; i < size; i += step) {
    uint8_t kept = data[i];
    data[i] = (uint8_t)(kept ^ (1u << (i % 8)));
    run(data, size);
    data[i] = 0xFF;
    run(data, size);
    data[i] = kept;
  }
}

static int run_file(const char *path) {
  static uint8_t data[1 << 20];
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  run_variants(data, size);
  return 1;
}

int main(int argc, char **argv) {
  int files = 0;
  for (int i = 1; i < argc; i++) {
    DIR *folder = opendir(argv[i]);
    if (!folder) continue;
    for (struct dirent *entry; (entry = readdir(folder));) {
      char path[4096];
      if (entry->d_name[0] == '.') continue;
      snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
      files += run_file(path);
    }
    closedir(folder);
  }
  printf("%s: %d corpus files replayed\n", argc > 0 ? argv[0] : "fuzz", files);
  return files > 0 ? 0 : 1;
}
