/* CSV lists of files that are or are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data_tree.h"

static const char *const files[] = {"img/a.png",  "img/b,c.JPG",   "img/d.png", "out/e.png",
                                    "m/b.png",    "m/odd.bmp",     "img/f.txt", "img/\xC3\xA4.png",
                                    "m/good.png", "list/here.png", NULL};

/* Writes text as list/data.csv and loads it. */
static burl_dataset *load(tree *t, const char *text) {
  tree_put(t, "list/data.csv", text);
  return tree_load(t, "list/data.csv");
}

/* Expects item i, with paths relative to the tree's folder "list". */
static void expect(const tree *t, const burl_dataset *dataset, size_t i, burl_split split,
                   const char *name, const char *path, const char *label, const char *mask) {
  const burl_item *item = burl_dataset_get_item(dataset, i);
  size_t root = strlen(t->root) + sizeof "/list";
  assert_int_equal(item->split, split);
  assert_string_equal(item->name, name);
  assert_string_equal(item->path + root, path);
  assert_string_equal(item->label, label);
  assert_int_equal(item->defective, strcmp(label, "good") != 0);
  assert_int_equal(item->mask != NULL, mask != NULL);
  if (mask) assert_string_equal(item->mask + root, mask);
}

static void lists_are_read(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, files);
  burl_dataset *d = load(&t,
                         "\xEF\xBB\xBFpath,split,label,mask\r\n"
                         "../img/d.png,test,good,\r\n"
                         "\"../img/b,c.JPG\",test,hole,../m/b.png\r\n"
                         "here.png,train,GOOD\r\n"
                         "../img/\xC3\xA4.png,train,good,\r\n"
                         "./../img/a.png,train,good,,\r\n");
  assert_int_equal(burl_dataset_get_layout(d), BURL_LAYOUT_LIST);
  assert_int_equal(burl_dataset_get_count(d), 5);
  expect(&t, d, 0, BURL_SPLIT_TRAIN, "here.png", "here.png", "good", NULL);
  expect(&t, d, 1, BURL_SPLIT_TRAIN, "img/a.png", "./../img/a.png", "good", NULL);
  expect(&t, d, 2, BURL_SPLIT_TRAIN, "img/\xC3\xA4.png", "../img/\xC3\xA4.png", "good", NULL);
  expect(&t, d, 3, BURL_SPLIT_TEST, "img/b,c.JPG", "../img/b,c.JPG", "hole", "../m/b.png");
  expect(&t, d, 4, BURL_SPLIT_TEST, "img/d.png", "../img/d.png", "good", NULL);
  assert_int_equal(t.problems, 0);
  burl_dataset_free(d);
  tree_remove(&t);
}

static void lists_and_paths_may_lie_anywhere(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_put(&t, "a.png", "");
  tree_put(&t, "data", "path,split,label\na.png,test,hole\n");
  char text[512];
  snprintf(text, sizeof text, "path,split,label\n%s,test,hole\n", tree_path(&t, "a.png"));
  tree_put(&t, "absolute.csv", text);
  tree_put(&t, "folder/absolute.csv", text);
  assert_int_equal(chdir(t.root), 0);
  burl_dataset *d = NULL;
  assert_int_equal(burl_dataset_load(&d, "data", NULL, NULL), BURL_OK);
  assert_string_equal(burl_dataset_get_item(d, 0)->path, "a.png");
  burl_dataset_free(d);
  assert_int_equal(burl_dataset_load(&d, "absolute.csv", NULL, NULL), BURL_OK);
  assert_string_equal(burl_dataset_get_item(d, 0)->path, tree_path(&t, "a.png"));
  assert_string_equal(burl_dataset_get_item(d, 0)->name, tree_path(&t, "a.png") + 1);
  burl_dataset_free(d);
  assert_int_equal(burl_dataset_load(&d, "folder/absolute.csv", NULL, NULL), BURL_OK);
  assert_string_equal(burl_dataset_get_item(d, 0)->path, tree_path(&t, "a.png"));
  burl_dataset_free(d);
  assert_int_equal(chdir("/"), 0);
  tree_remove(&t);
}

static void names_are_unique_in_a_split(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"a.png", "list/a.png", "list/x/a.png", NULL});
  burl_dataset *d = load(&t,
                         "path,split,label\n../a.png,test,good\na.png,test,hole\n"
                         "x/../../a.png,train,good\n");
  assert_int_equal(burl_dataset_get_count(d), 3);
  expect(&t, d, 0, BURL_SPLIT_TRAIN, "a.png", "x/../../a.png", "good", NULL);
  expect(&t, d, 1, BURL_SPLIT_TEST, "a-2.png", "a.png", "hole", NULL);
  expect(&t, d, 2, BURL_SPLIT_TEST, "a.png", "../a.png", "good", NULL);
  burl_dataset_free(d);
  tree_remove(&t);
}

static void unusable_lines_are_told_and_left_out(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, files);
  burl_dataset *d = load(&t,
                         "path,split,label,mask,note\n"
                         "../img/a.png,test,good,../m/good.png,\n"
                         "../img/d.png,test,hole,../m/none.png,\n"
                         "../out/e.png,test,hole,../m/odd.bmp,\n"
                         "../img/gone.png,test,good,,\n"
                         "..\\img\\gone.png,test,good,,\n"
                         "../img/f.txt,test,good,,\n"
                         "../img/b.bmp,test,good,,\n"
                         "../img/a.png,train,hole,,\n");
  assert_int_equal(burl_dataset_get_count(d), 3);
  for (size_t i = 0; i < 3; i++)
    assert_null(burl_dataset_get_item(d, i)->mask);
  assert_told(&t, "/list/data.csv: the column 'note' is not known and not read (line 1)");
  assert_told(&t,
              "'../m/none.png': No such file or directory; the image is taken as one without a "
              "mask (line 3)");
  assert_told(&t, "'../m/odd.bmp': is not a .png, .jpg or .jpeg file; the image is taken as one");
  assert_told(&t, "'../img/gone.png': No such file or directory; the line is left out (line 5)");
  assert_told(&t, "(line 6). Separate folders by '/'.");
  assert_told(&t, "2 lines name no .png, .jpg or .jpeg file");
  assert_told(&t, "1 training lines are labelled with a defect class");
  assert_told(&t, "1 good images have a mask, which is not read");
  assert_int_equal(t.problems, 8);
  burl_dataset_free(d);
  tree_remove(&t);
}

static void many_missing_files_are_counted(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, files);
  char text[4096] = "path,split,label\nhere.png,test,good\n";
  for (int i = 0; i < 25; i++)
    sprintf(text + strlen(text), "gone%d.png,test,good\n", i);
  burl_dataset *d = load(&t, text);
  assert_int_equal(burl_dataset_get_count(d), 1);
  assert_int_equal(t.problems, 11);
  assert_told(&t, "15 more files named in the list are not there");
  burl_dataset_free(d);
  tree_remove(&t);
}

static void repeated_files_count_once_in_a_split(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, files);
  tree_link(&t, "list/link.png", "here.png");
  burl_dataset *d = load(&t,
                         "path,split,label,mask\n"
                         "here.png,train,good\nhere.png,train,good\nlink.png,train,good\n"
                         "link.png,test,hole,\nhere.png,test,hole,../m/b.png\n");
  assert_int_equal(burl_dataset_get_count(d), 2);
  expect(&t, d, 0, BURL_SPLIT_TRAIN, "here.png", "here.png", "good", NULL);
  expect(&t, d, 1, BURL_SPLIT_TEST, "link.png", "link.png", "hole", NULL);
  assert_told(&t,
              "'here.png' is the same file as 'link.png' with another label or mask; the first "
              "one counts (line 6)");
  assert_told(&t,
              "3 times a file is named again that was named before; each counts once (first: "
              "'here.png')");
  burl_dataset_free(d);
  tree_put(&t, "list/data.csv", "path,split,label\nhere.png,test,good\n\nlink.png,test,hole\n");
  burl_diag diag = {0};
  d = NULL;
  assert_int_equal(burl_dataset_load(&d, tree_path(&t, "list/data.csv"), NULL, &diag),
                   BURL_ERR_DATA);
  assert_int_equal(diag.line, 4);
  assert_non_null(strstr(diag.reason,
                         "'link.png' is labelled 'hole', but the same file is "
                         "labelled 'good' as 'here.png'"));
  assert_null(d);
  tree_remove(&t);
}

static void lists_without_an_image_are_an_error(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_put(&t, "none.csv", "path,split,label\n");
  tree_put(&t, "gone.csv", "path,split,label\na.png,test,good\nb.txt,test,good\n");
  tree_put(&t, "bad.csv", "path,split,label\na.png,test,good\nb.png,test\n");
  tree_refuse(&t, "none.csv", BURL_ERR_DATA, "has 0 lines below the header");
  tree_refuse(&t, "gone.csv", BURL_ERR_DATA, "none of its 2 lines");
  assert_int_equal(t.problems, 2);
  tree_refuse(&t, "bad.csv", BURL_ERR_FORMAT, "'label' is empty");
  assert_int_equal(truncate(tree_path(&t, "bad.csv"), ((off_t)1 << 28) + 1), 0);
  tree_refuse(&t, "bad.csv", BURL_ERR_SIZE, "more than the limit");
  tree_remove(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_read),
      cmocka_unit_test(lists_and_paths_may_lie_anywhere),
      cmocka_unit_test(names_are_unique_in_a_split),
      cmocka_unit_test(unusable_lines_are_told_and_left_out),
      cmocka_unit_test(many_missing_files_are_counted),
      cmocka_unit_test(repeated_files_count_once_in_a_split),
      cmocka_unit_test(lists_without_an_image_are_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
