/* Files: read whole and within limits, written whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "failing.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static const char *place(const char *name) {
  static char paths[4][1024];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static int set_up(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-file-XXXXXX", base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder); /* fails where a test left something behind */
}

static int count_entries(const char *path) {
  DIR *stream = opendir(path);
  assert_non_null(stream);
  int entries = 0;
  for (struct dirent *entry; (entry = readdir(stream));)
    entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(stream);
  return entries;
}

static void expect_content(const char *path, const char *text) {
  unsigned char *bytes;
  size_t size;
  assert_int_equal(burl_file_read(&bytes, &size, path, 1000, NULL), BURL_OK);
  assert_int_equal(size, strlen(text));
  assert_memory_equal(bytes, text, size);
  free(bytes);
}

static void write_text(const char *path, const char *text) {
  assert_int_equal(burl_file_write(path, text, strlen(text), NULL), BURL_OK);
}

static void expect_unread(const char *path, size_t limit, burl_status expected,
                          const char *reason) {
  unsigned char byte, *bytes = &byte;
  size_t size = 77;
  burl_diag diag = {0};
  assert_int_equal(burl_file_read(&bytes, &size, path, limit, &diag), expected);
  assert_ptr_equal(bytes, &byte);
  assert_int_equal(size, 77);
  assert_string_equal(diag.path, path);
  if (!strstr(diag.reason, reason)) fail_msg("\"%s\" is not in \"%s\"", reason, diag.reason);
}

static void test_read(void **state) {
  (void)state;
  write_text(place("five"), "12345");
  write_text(place("empty"), "");
  expect_content(place("five"), "12345");
  expect_content(place("empty"), "");
  expect_unread(place("five"), 4, BURL_ERR_SIZE, "has 5 bytes, more than the limit of 4");
  expect_unread(place("five"), 0, BURL_ERR_SIZE, "limit of 0");
  unsigned char *bytes;
  size_t size;
  assert_int_equal(burl_file_read(&bytes, &size, place("five"), 5, NULL), BURL_OK);
  free(bytes);
  assert_int_equal(burl_file_read(&bytes, &size, place("empty"), 0, NULL), BURL_OK);
  assert_int_equal(size, 0);
  free(bytes);
  assert_int_equal(unlink(place("five")), 0);
  assert_int_equal(unlink(place("empty")), 0);
}

static void test_read_binary(void **state) {
  (void)state;
  unsigned char data[70000], *bytes;
  size_t size;
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (unsigned char)(i * 7 + i / 256);
  assert_int_equal(burl_file_write(place("binary"), data, sizeof data, NULL), BURL_OK);
  assert_int_equal(burl_file_read(&bytes, &size, place("binary"), SIZE_MAX, NULL), BURL_OK);
  assert_int_equal(size, sizeof data);
  assert_memory_equal(bytes, data, size);
  free(bytes);
  assert_int_equal(unlink(place("binary")), 0);
}

static void test_read_refuses(void **state) {
  (void)state;
  expect_unread(place("missing"), 10, BURL_ERR_IO, "No such file");
  expect_unread("", 10, BURL_ERR_IO, "No such file");
  expect_unread(folder, 10, BURL_ERR_IO, "not a regular file");
  expect_unread("/dev/null", 10, BURL_ERR_IO, "not a regular file");
  assert_int_equal(mkfifo(place("pipe"), 0600), 0);
  expect_unread(place("pipe"), 10, BURL_ERR_IO, "not a regular file"); /* and does not wait */
  assert_int_equal(unlink(place("pipe")), 0);
  write_text(place("file"), "x");
  expect_unread(place("file/x"), 10, BURL_ERR_IO, "Not a directory");
  unsigned char *bytes = NULL;
  size_t size;
  fail_allocation_after(0);
  burl_status status = burl_file_read(&bytes, &size, place("file"), 10, NULL);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_null(bytes);
  assert_int_equal(unlink(place("file")), 0);
}

/* Until the commit the old file is there, and a single other entry; afterwards the new file alone.
 */
static void test_whole_or_nothing(void **state) {
  (void)state;
  burl_output out;
  write_text(place("file"), "old");
  assert_int_equal(burl_output_open(&out, place("file"), NULL), BURL_OK);
  assert_true(fputs("new and longer", out.stream) >= 0);
  assert_int_equal(fflush(out.stream), 0);
  expect_content(place("file"), "old");
  assert_int_equal(count_entries(folder), 2);
  burl_output_abandon(&out);
  assert_null(out.stream);
  burl_output_abandon(&out);
  expect_content(place("file"), "old");
  assert_int_equal(count_entries(folder), 1);
  assert_int_equal(burl_output_open(&out, place("file"), NULL), BURL_OK);
  assert_true(fputs("new", out.stream) >= 0);
  assert_int_equal(burl_output_commit(&out, NULL), BURL_OK);
  assert_null(out.stream);
  expect_content(place("file"), "new");
  assert_int_equal(count_entries(folder), 1);
  assert_int_equal(unlink(place("file")), 0);
}

/* Two writers of one file do not disturb each other; the later commit wins. */
static void test_two_writers(void **state) {
  (void)state;
  burl_output a, b;
  assert_int_equal(burl_output_open(&a, place("file"), NULL), BURL_OK);
  assert_int_equal(burl_output_open(&b, place("file"), NULL), BURL_OK);
  assert_true(fputs("from a", a.stream) >= 0 && fputs("from b", b.stream) >= 0);
  assert_int_equal(burl_output_commit(&b, NULL), BURL_OK);
  expect_content(place("file"), "from b");
  assert_int_equal(burl_output_commit(&a, NULL), BURL_OK);
  expect_content(place("file"), "from a");
  assert_int_equal(count_entries(folder), 1);
  assert_int_equal(unlink(place("file")), 0);
}

static void test_parents(void **state) {
  (void)state;
  write_text(place("a/b//c/./file"), "deep");
  expect_content(place("a/b/c/file"), "deep");
  write_text(place("a/b/c/file"), "again");
  expect_content(place("a/b/c/file"), "again");
  assert_int_equal(count_entries(place("a/b/c")), 1);
  assert_int_equal(unlink(place("a/b/c/file")), 0);
  assert_int_equal(rmdir(place("a/b/c")), 0);
  assert_int_equal(rmdir(place("a/b")), 0);
  assert_int_equal(rmdir(place("a")), 0);
}

static void test_relative_path(void **state) {
  (void)state;
  char before[512];
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(folder), 0);
  write_text("file", "here");
  write_text("sub/file", "there");
  expect_content("./file", "here");
  assert_int_equal(chdir(before), 0);
  expect_content(place("sub/file"), "there");
  assert_int_equal(unlink(place("file")), 0);
  assert_int_equal(unlink(place("sub/file")), 0);
  assert_int_equal(rmdir(place("sub")), 0);
}

static void expect_unwritten(const char *path, const char *reason) {
  burl_diag diag = {0};
  const int before = count_entries(folder);
  assert_int_equal(burl_file_write(path, "x", 1, &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, path);
  if (!strstr(diag.reason, reason)) fail_msg("\"%s\" is not in \"%s\"", reason, diag.reason);
  assert_int_equal(count_entries(folder), before);
}

static void test_write_refuses(void **state) {
  (void)state;
  char name[400];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  write_text(place("file"), "x");
  assert_int_equal(mkfifo(place("pipe"), 0600), 0);
  expect_unwritten(folder, "not a regular file");
  expect_unwritten(place("pipe"), "not a regular file");
  expect_unwritten("/dev/null", "not a regular file");
  expect_unwritten("", "a file name is missing");
  expect_unwritten(place("new/"), "a file name is missing");
  expect_unwritten(place("file/x"), "Not a directory");
  expect_unwritten(place("file/x/y"), "Not a directory");
  expect_unwritten(place(name), "File name too long");
  expect_content(place("file"), "x");
  assert_int_equal(unlink(place("file")), 0);
  assert_int_equal(unlink(place("pipe")), 0);
}

/* The limit stands for a full disk. The signal that comes with it is ignored. `unchecked` bytes go
 * through the stream without a look at the results, as modules do: from `block` at once, or, where
 * that is NULL, one by one. */
static void write_beyond_limit(size_t limit, const char *block, size_t unchecked,
                               burl_status expected) {
  struct rlimit old, small;
  burl_output out;
  burl_diag diag = {0};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = limit;
  struct sigaction ignore = {.sa_handler = SIG_IGN}, kept;
  assert_int_equal(sigaction(SIGXFSZ, &ignore, &kept), 0);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  burl_status opened = burl_output_open(&out, place("file"), &diag), status = opened;
  if (opened == BURL_OK) {
    for (size_t i = 0; i < unchecked && !block; i++)
      fputc('x', out.stream);
    if (block) fwrite(block, 1, unchecked, out.stream);
    status = burl_output_commit(&out, &diag);
  }
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(sigaction(SIGXFSZ, &kept, NULL), 0);
  assert_int_equal(opened, BURL_OK);
  assert_int_equal(status, expected);
  if (expected == BURL_OK) return;
  assert_string_equal(diag.path, place("file"));
  assert_string_equal(diag.reason, "cannot be written: File too large");
}

static void test_full_disk(void **state) {
  (void)state;
  static const char block[1 << 17];
  write_text(place("file"), "old");
  write_beyond_limit(0, NULL, 1, BURL_ERR_IO);
  write_beyond_limit(1000, NULL, 1001, BURL_ERR_IO); /* noticed by the last flush */
  write_beyond_limit(10000, NULL, 10001, BURL_ERR_IO);
  write_beyond_limit(10000, NULL, 100000, BURL_ERR_IO);
  write_beyond_limit(10000, block, sizeof block, BURL_ERR_IO); /* nothing is left for a flush */
  expect_content(place("file"), "old");
  assert_int_equal(count_entries(folder), 1);
  write_beyond_limit(1000, NULL, 1000, BURL_OK);
  struct stat st;
  assert_int_equal(stat(place("file"), &st), 0);
  assert_int_equal(st.st_size, 1000);
  assert_int_equal(unlink(place("file")), 0);
}

/* The name is taken by a folder between open and commit. */
static void test_rename_fails(void **state) {
  (void)state;
  burl_output out;
  burl_diag diag = {0};
  assert_int_equal(burl_output_open(&out, place("file"), NULL), BURL_OK);
  assert_int_equal(mkdir(place("file"), 0700), 0);
  assert_int_equal(burl_output_commit(&out, &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, place("file"));
  assert_int_equal(count_entries(folder), 1);
  assert_int_equal(rmdir(place("file")), 0);
}

static void test_failing_allocations(void **state) {
  (void)state;
  for (long i = 0; i < 2; i++) {
    fail_allocation_after(i);
    burl_status status = burl_file_write(place("file"), "x", 1, NULL);
    long made = stop_failing();
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(made, 2);
    assert_int_equal(count_entries(folder), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_read),
      cmocka_unit_test(test_read_binary),
      cmocka_unit_test(test_read_refuses),
      cmocka_unit_test(test_whole_or_nothing),
      cmocka_unit_test(test_two_writers),
      cmocka_unit_test(test_parents),
      cmocka_unit_test(test_relative_path),
      cmocka_unit_test(test_write_refuses),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_rename_fails),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
