/* The CSV reader and what lists are read from it, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "dataset/csv_read.h"
#include "dataset/list.h"
#include "failing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the rows of a text as "a|b|c;d" with line numbers before each row. Returns the status. */
static burl_status render(char *out, size_t room, const char *text, size_t size, burl_diag *diag) {
  char *copy = malloc(size + 1);
  assert_non_null(copy);
  memcpy(copy, text, size);
  copy[size] = 'x'; /* must not be taken for a part of the text */
  burl_csv csv;
  burl_csv_open(&csv, copy, size, "list.csv");
  out[0] = '\0';
  burl_status status;
  for (int found; (status = burl_csv_next(&csv, &found, diag)) == BURL_OK && found;) {
    size_t length = strlen(out);
    length += (size_t)snprintf(out + length, room - length, "%d:", (int)csv.row_line);
    for (size_t i = 0; i < csv.count; i++)
      length += (size_t)snprintf(out + length, room - length, "%s%s", i ? "|" : "", csv.fields[i]);
    snprintf(out + length, room - length, ";");
  }
  free(copy);
  return status;
}

static void rows_follow_the_rfc(void **state) {
  (void)state;
  static const struct {
    const char *text, *rows;
  } cases[] = {
      {"", ""},
      {"a,b\nc,d\n", "1:a|b;2:c|d;"},
      {"a,b\r\nc,d", "1:a|b;2:c|d;"},
      {"a,b\rc,d\r", "1:a|b;2:c|d;"},
      {"\xEF\xBB\xBF"
       "a,b",
       "1:a|b;"},
      {"\xEF\xBB\xBF", ""},
      {"a,,\n,b,", "1:a||;2:|b|;"},
      {"a,", "1:a|;"},
      {"\n\n a\n,,\n\nb", "3:a;6:b;"},
      {"\"a,b\",c", "1:a,b|c;"},
      {"\"say \"\"no\"\"\",\"\"", "1:say \"no\"|;"},
      {"\"two\nlines\",x\ny", "1:two\nlines|x;3:y;"},
      {"\"two\r\nlines\"\r\ny", "1:two\r\nlines;3:y;"},
      {"\"two\rlines\"\ny", "1:two\rlines;3:y;"},
      {" a\t,  b c  ,\" d \"  \n", "1:a|b c| d ;"},
      {"\"\"\"\"", "1:\";"},
      {"\"\"", ""},
      {"\xC3\xA4/\xF0\x9F\xA7\xB5.png", "1:\xC3\xA4/\xF0\x9F\xA7\xB5.png;"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[256];
    assert_int_equal(render(out, sizeof out, cases[i].text, strlen(cases[i].text), NULL), BURL_OK);
    assert_string_equal(out, cases[i].rows);
  }
}

static void misplaced_quotes_are_refused_with_their_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *reason;
    int line;
  } cases[] = {
      {"a,b\n\"c,d\ne", "not closed", 2},        {"\"", "not closed", 1},
      {"a\n\"b\"c\n", "follows the closing", 2}, {"a\n\nb\"c\n", "stands inside", 3},
      {"\"a\n\n\"b", "follows the closing", 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[256];
    burl_diag diag = {0};
    burl_status status = render(out, sizeof out, cases[i].text, strlen(cases[i].text), &diag);
    assert_int_equal(status, BURL_ERR_FORMAT);
    assert_int_equal(diag.line, cases[i].line);
    assert_non_null(strstr(diag.reason, cases[i].reason));
    assert_string_equal(diag.path, "list.csv");
  }
}

static void fields_are_limited(void **state) {
  (void)state;
  char text[BURL_CSV_FIELDS + 8] = "", out[1024];
  memset(text, ',', BURL_CSV_FIELDS - 1);
  text[BURL_CSV_FIELDS - 1] = 'x';
  assert_int_equal(render(out, sizeof out, text, BURL_CSV_FIELDS, NULL), BURL_OK);
  text[BURL_CSV_FIELDS - 1] = ',';
  assert_int_equal(render(out, sizeof out, text, BURL_CSV_FIELDS, NULL), BURL_ERR_FORMAT);
}

/* Fields of random bytes, written as the RFC says, come back as they were. */
static void what_is_written_is_read(void **state) {
  (void)state;
  static const char letters[] = "ab ,\"\n\r;\t.";
  burl_random random = burl_random_start(7, 0);
  for (int round = 0; round < 3000; round++) {
    char fields[5][8], text[128] = "", copy[128];
    size_t count = 1 + burl_random_below(&random, 5), length = 0;
    for (size_t i = 0; i < count; i++) {
      size_t size = burl_random_below(&random, 7), out = 0;
      for (; out < size; out++)
        fields[i][out] = letters[burl_random_below(&random, sizeof letters - 1)];
      fields[i][out] = '\0';
      if (i == 0) strcpy(fields[0], "first");
      if (i > 0) text[length++] = ',';
      text[length++] = '"';
      for (const char *c = fields[i]; *c; c++) {
        if (*c == '"') text[length++] = '"';
        text[length++] = *c;
      }
      text[length++] = '"';
    }
    memcpy(copy, text, length);
    burl_csv csv;
    burl_csv_open(&csv, copy, length, "list.csv");
    int found;
    assert_int_equal(burl_csv_next(&csv, &found, NULL), BURL_OK);
    assert_true(found && csv.count == count);
    for (size_t i = 0; i < count; i++)
      assert_string_equal(csv.fields[i], fields[i]);
    assert_int_equal(burl_csv_next(&csv, &found, NULL), BURL_OK);
    assert_false(found);
  }
}

typedef struct rows {
  char text[1024];
  size_t stop_after, count;
} rows;

static burl_status collect(void *context, const burl_list_row *row, burl_diag *diag) {
  rows *all = context;
  size_t length = strlen(all->text);
  (void)diag;
  snprintf(all->text + length, sizeof all->text - length, "%d:%s %s %s %s;", (int)row->line,
           row->path, row->split == BURL_SPLIT_TRAIN ? "train" : "test", row->label,
           row->mask ? row->mask : "-");
  return ++all->count == all->stop_after ? BURL_ERR_DATA : BURL_OK;
}

static void count_problem(void *context, const burl_diag *diag) {
  (void)diag;
  ++*(int *)context;
}

static burl_status parse(rows *all, const char *text, int *told, burl_diag *diag) {
  burl_observer observer = {.context = told, .problem = count_problem};
  *told = 0;
  all->text[0] = '\0';
  all->count = 0;
  return burl_list_parse(text, strlen(text), "list.csv", collect, all, &observer, diag);
}

static void lists_are_understood(void **state) {
  (void)state;
  static const struct {
    const char *text, *rows;
    int told;
  } cases[] = {
      {"path,split,label,mask\na.png,train,good,\nb.png,test,hole,m.png\n",
       "2:a.png train good -;3:b.png test hole m.png;", 0},
      {"path,split,label\na.png,test,good", "2:a.png test good -;", 0},
      {"path,split,label,mask\na.png,test,hole", "2:a.png test hole -;", 0},
      {"mask,label,split,path\n,good,train,a.png\n", "2:a.png train good -;", 0},
      {"Path;x,PATH , Split,LABEL\n1,a.png,TRAIN,Good,,,\n", "2:a.png train Good -;", 1},
      {"path,split,label,width,note\na.png,test,good,3,\"x,y\"\n", "2:a.png test good -;", 2},
      {"path,split,label,,\na.png,test,good,,\n", "2:a.png test good -;", 0},
      {"path,split,label,mask\n", "", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rows all = {0};
    int told;
    burl_diag diag = {0};
    if (parse(&all, cases[i].text, &told, &diag) != BURL_OK) fail_msg("%zu: %s", i, diag.reason);
    assert_string_equal(all.text, cases[i].rows);
    assert_int_equal(told, cases[i].told);
  }
}

static void bad_lists_are_refused_with_their_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *reason;
    int line;
  } cases[] = {
      {"", "is empty", 0},
      {"\xEF\xBB\xBF\r\n\r\n", "is empty", 0},
      {"path,split,mask\na.png,test,m.png", "no column 'label'", 1},
      {"path;split;label\n", "no column 'path'", 1},
      {"path\tsplit\tlabel\n", "no column 'path'", 1},
      {"just some text\n", "neither a folder nor a list", 1},
      {"path,split,label,path\n", "'path' twice", 1},
      {"path,split,label\n\n,test,good", "'path' is empty", 3},
      {"path,split,label\na.png,,good", "'split' is empty", 2},
      {"path,split,label\na.png,test,", "'label' is empty", 2},
      {"path,split,label\na.png,test", "'label' is empty", 2},
      {"path,split,label\na.png,testing,good", "split is 'testing'", 2},
      {"path,split,label\na.png,test,good\nb.png,test,good,m", "4 fields where the header has 3",
       3},
      {"path,split,label\na.png,test,a/b", "'a/b' cannot name a class", 2},
      {"path,split,label\na.png,test,..", "'..' cannot name a class", 2},
      {"path,split,label\na.png,test,\"a\nb\"", "cannot name a class", 2},
      {"\xFF\xFEp", "UTF-16", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rows all = {0};
    int told;
    burl_diag diag = {0};
    assert_int_equal(parse(&all, cases[i].text, &told, &diag), BURL_ERR_FORMAT);
    if (!strstr(diag.reason, cases[i].reason)) fail_msg("%zu: %s", i, diag.reason);
    assert_int_equal(diag.line, cases[i].line);
    assert_true(diag.hint[0] != '\0');
    assert_int_equal(burl_list_parse(cases[i].text, strlen(cases[i].text), "list.csv", collect,
                                     &all, NULL, NULL),
                     BURL_ERR_FORMAT);
  }
  burl_diag diag = {0};
  rows all = {0};
  assert_int_equal(burl_list_parse("path\0", 6, "x", collect, &all, NULL, &diag), BURL_ERR_FORMAT);
  assert_int_equal(diag.offset, 4);
}

static void a_visit_ends_the_reading(void **state) {
  (void)state;
  rows all = {.stop_after = 2};
  int told;
  const char *text = "path,split,label\na.png,test,good\nb.png,test,good\nc.png,test,good\n";
  assert_int_equal(parse(&all, text, &told, NULL), BURL_ERR_DATA);
  assert_int_equal(all.count, 2);
}

static void names_stay_below_their_folder(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a.png", "a.png"},
      {"./a//b.png", "a/b.png"},
      {"/x/a.png", "x/a.png"},
      {"../a.png", "a.png"},
      {"x/../../../a.png", "a.png"},
      {"x/y/../a.png", "x/a.png"},
      {"..a/.b.png", "..a/.b.png"},
      {"x/./y.png", "x/y.png"},
      {"/../..", ""},
      {"ab/cd/../../e.png", "e.png"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[64];
    burl_list_get_name(name, cases[i][0]);
    assert_string_equal(name, cases[i][1]);
  }
}

static void failing_allocations_are_told(void **state) {
  (void)state;
  rows all = {0};
  const char text[] = "path,split,label\na.png,test,good\n";
  fail_allocation_after(0);
  burl_status status = burl_list_parse(text, strlen(text), "x", collect, &all, NULL, NULL);
  assert_int_equal(stop_failing(), 1);
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_int_equal(all.count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_follow_the_rfc),
      cmocka_unit_test(misplaced_quotes_are_refused_with_their_line),
      cmocka_unit_test(fields_are_limited),
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(lists_are_understood),
      cmocka_unit_test(bad_lists_are_refused_with_their_line),
      cmocka_unit_test(a_visit_ends_the_reading),
      cmocka_unit_test(names_stay_below_their_folder),
      cmocka_unit_test(failing_allocations_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
