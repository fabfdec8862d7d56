/* Layouts: what is found in trees of files, which are images by name only, for loading opens none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data_tree.h"
#include "failing.h"

#include <sys/resource.h>

/* The items as "split name label mask" lines, paths relative to the tree. */
static const char *list_items(const tree *t, const burl_dataset *dataset) {
  static char text[16384];
  text[0] = '\0';
  size_t length = 0, root = strlen(t->root) + 1;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    assert_int_equal(item->defective, strcmp(item->label, "good") != 0);
    assert_int_equal(access(item->path, R_OK), 0);
    length += (size_t)snprintf(text + length, sizeof text - length, "%s %s %s %s\n",
                               item->split == BURL_SPLIT_TRAIN ? "train" : "test", item->name,
                               item->label, item->mask ? item->mask + root : "-");
  }
  return text;
}

static void expect_items(tree *t, const char *name, burl_layout layout, const char *items) {
  burl_dataset *dataset = tree_load(t, name);
  assert_int_equal(burl_dataset_get_layout(dataset), layout);
  assert_string_equal(list_items(t, dataset), items);
  burl_dataset_free(dataset);
}

static const char *const mvtec_files[] = {"set/train/good/b.png",
                                          "set/train/good/B.PNG",
                                          "set/train/good/a.jpeg",
                                          "set/test/good/1.png",
                                          "set/test/hole/1.png",
                                          "set/test/hole/2.jpg",
                                          "set/test/hole/3.png",
                                          "set/test/hole/sub/1.png",
                                          "set/test/stain/1.png",
                                          "set/ground_truth/hole/1_mask.png",
                                          "set/ground_truth/hole/1.png",
                                          "set/ground_truth/hole/2.PNG",
                                          "set/ground_truth/hole/sub/1_mask.jpg",
                                          "set/ground_truth/stain/2_mask.png",
                                          "set/ground_truth/good/1_mask.png",
                                          "set/license.txt",
                                          NULL};

static const char mvtec_items[] =
    "train train/good/B.PNG good -\n"
    "train train/good/a.jpeg good -\n"
    "train train/good/b.png good -\n"
    "test test/good/1.png good -\n"
    "test test/hole/1.png hole set/ground_truth/hole/1_mask.png\n"
    "test test/hole/2.jpg hole set/ground_truth/hole/2.PNG\n"
    "test test/hole/3.png hole -\n"
    "test test/hole/sub/1.png hole "
    "set/ground_truth/hole/sub/1_mask.jpg\n"
    "test test/stain/1.png stain -\n";

static void mvtec_is_read(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, mvtec_files);
  expect_items(&t, "set", BURL_LAYOUT_MVTEC, mvtec_items);
  assert_told(&t,
              "/set: 3 of 6 masks belong to no defective test image (first: "
              "'ground_truth/good/1_mask.png')");
  assert_int_equal(t.problems, 1);
  expect_items(&t, "set///", BURL_LAYOUT_MVTEC, mvtec_items);
  tree_remove(&t);
}

static void the_order_of_making_does_not_matter(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  for (size_t i = sizeof mvtec_files / sizeof *mvtec_files - 1; i-- > 0;)
    tree_put(&t, mvtec_files[i], mvtec_files[i]);
  expect_items(&t, "set", BURL_LAYOUT_MVTEC, mvtec_items);
  tree_remove(&t);
}

static void the_first_of_several_masks_counts(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"test/hole/1.png", "ground_truth/hole/1_mask.png",
                                       "ground_truth/hole/1_mask.PNG",
                                       "ground_truth/hole/1_mask.jpg", NULL});
  expect_items(&t, "", BURL_LAYOUT_MVTEC,
               "test test/hole/1.png hole ground_truth/hole/1_mask.PNG\n");
  assert_told(&t, "2 of 3 masks belong to no defective test image");
  tree_remove(&t);
}

static void mvtec_may_lack_a_half(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t,
             (const char *const[]){"a/train/good/1.png", "b/test/good/1.png", "c/test/hole/1.png",
                                   "d/train/Good/1.png", "d/test/GOOD/1.png", NULL});
  expect_items(&t, "a", BURL_LAYOUT_MVTEC, "train train/good/1.png good -\n");
  expect_items(&t, "b", BURL_LAYOUT_MVTEC, "test test/good/1.png good -\n");
  expect_items(&t, "c", BURL_LAYOUT_MVTEC, "test test/hole/1.png hole -\n");
  expect_items(&t, "d", BURL_LAYOUT_MVTEC,
               "train train/Good/1.png good -\ntest test/GOOD/1.png good -\n");
  assert_int_equal(t.problems, 0);
  tree_remove(&t);
}

static void oddities_of_mvtec_are_told(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){
                     "train/good/1.png", "train/good/.hidden.png", "train/good/Thumbs.db",
                     "train/good/notes.txt", "train/good/.git/x.png", "train/hole/1.png",
                     "train/9.png", "test/hole/1.png", "test/hole/x.bmp", "test/loose.png",
                     "test/loose2.png", "root.jpg", "validation/good/1.png", ".cache/x.png", NULL});
  expect_items(&t, "", BURL_LAYOUT_MVTEC,
               "train train/good/1.png good -\ntest test/hole/1.png hole -\n");
  assert_told(&t,
              "/train/good: 2 of its entries are neither folders nor files named .png, .jpg or "
              ".jpeg and are left out (first: 'Thumbs.db')");
  assert_told(&t, "/test/hole: 1 of its entries is neither");
  assert_told(&t, "/train/hole: this folder has no place in the layout");
  assert_told(&t, "/validation: this folder has no place in the layout");
  assert_told(&t, "/train: 1 images directly in this folder");
  assert_told(&t, "/test: 2 images directly in this folder");
  assert_told(&t, ": 1 images directly in this folder");
  assert_int_equal(t.problems, 7);
  tree_remove(&t);
}

static void plain_folders_are_good_images(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"f/b.png", "f/B.JPG", "f/a/x.jpeg", "f/a-b/x.png",
                                       "f/.hidden/x.png", "f/\xC3\xA4 \n.png", NULL});
  expect_items(&t, "f", BURL_LAYOUT_FOLDER,
               "train B.JPG good -\ntrain a-b/x.png good -\ntrain a/x.jpeg good -\n"
               "train b.png good -\ntrain \xC3\xA4 \n.png good -\n");
  assert_int_equal(t.problems, 0);
  tree_touch(&t, (const char *const[]){"f/train/1.png", "f/test/1.png", NULL});
  burl_dataset *dataset = tree_load(&t, "f");
  assert_int_equal(burl_dataset_get_layout(dataset), BURL_LAYOUT_FOLDER);
  assert_int_equal(burl_dataset_get_count(dataset), 7);
  assert_told(&t, "everything below 'train' counts as a good training image");
  assert_told(&t, "everything below 'test' counts as a good training image");
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void links_are_followed_once(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t,
             (const char *const[]){"pool/1.png", "pool/2.png", "f/own.png", "f/sub/x.png", NULL});
  tree_link(&t, "f/a.png", "../pool/1.png");
  tree_link(&t, "f/b.png", "../pool/1.png");
  tree_link(&t, "f/broken.png", "nowhere.png");
  tree_link(&t, "f/sub/up", "..");
  tree_link(&t, "f/sub/self", ".");
  tree_link(&t, "f/twin", "sub");
  tree_link(&t, "f/zpool", "../pool");
  tree_link(&t, "f/knot1", "knot2");
  tree_link(&t, "f/knot2", "knot1");
  assert_int_equal(link(tree_path(&t, "f/own.png"), tree_path(&t, "f/sub/hard.png")), 0);
  expect_items(&t, "f", BURL_LAYOUT_FOLDER,
               "train a.png good -\ntrain own.png good -\ntrain sub/x.png good -\n"
               "train zpool/2.png good -\n");
  assert_told(&t, "/f/sub/up: is a link to a folder that is read already");
  assert_told(&t, "/f/sub/self: is a link");
  assert_told(&t, "/f/twin: is a link");
  assert_told(&t, "/f: 3 of its entries cannot be looked at and are left out (first: 'broken.png'");
  assert_told(&t,
              "/f: 3 times a file is named again that was named before; each counts once "
              "(first: 'a.png')");
  assert_int_equal(t.problems, 5);
  tree_remove(&t);
}

static void links_back_make_no_classes(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"train/good/1.png", "test/hole/1.png", NULL});
  tree_link(&t, "test/loop", "..");
  tree_link(&t, "test/loop2", ".");
  tree_link(&t, "train/good/loop", "..");
  tree_link(&t, "test/good", "../train/good");
  expect_items(&t, "", BURL_LAYOUT_MVTEC,
               "train train/good/1.png good -\ntest test/good/1.png good -\n"
               "test test/hole/1.png hole -\n");
  assert_told(&t, "/test/loop: is a link");
  assert_told(&t, "/test/loop2: is a link");
  assert_told(&t, "/train/good/loop: is a link");
  tree_remove(&t);
}

static void one_file_has_one_label(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"test/hole/1.png", NULL});
  tree_link(&t, "test/stain/2.png", "../hole/1.png");
  expect_items(&t, "", BURL_LAYOUT_MVTEC, "test test/hole/1.png hole -\n");
  assert_told(&t,
              "/test/stain/2.png: 'test/stain/2.png' is the same file as 'test/hole/1.png' with "
              "another label or mask");
  tree_link(&t, "test/good/3.png", "../hole/1.png");
  tree_refuse(&t, "", BURL_ERR_DATA,
              "'test/hole/1.png' is labelled 'hole', but the same file is labelled 'good'");
  tree_remove(&t);
}

/* More folders in one another than may be open at once, then down to where paths become too long.
 */
static void depth_is_survived(void **state) {
  (void)state;
  enum { SHORT = 64, LONG = 24 };
  char long_name[201];
  memset(long_name, 'n', 200);
  long_name[200] = '\0';
  tree t;
  tree_make(&t);
  assert_int_equal(chdir(t.root), 0);
  for (int i = 0; i < SHORT + LONG; i++) {
    const char *name = i < SHORT ? "d" : long_name;
    FILE *file = fopen("x.png", "wb");
    assert_true(file && fclose(file) == 0);
    assert_true(mkdir(name, 0777) == 0 && chdir(name) == 0);
  }
  assert_int_equal(chdir("/"), 0);
  struct rlimit limit, kept;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
  limit = kept;
  limit.rlim_cur = 24;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  burl_dataset *dataset = tree_load(&t, "");
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
  assert_in_range(burl_dataset_get_count(dataset), SHORT + 10, SHORT + LONG - 2);
  assert_int_equal(t.problems, 1);
  assert_told(&t, "cannot be looked at");
  burl_dataset_free(dataset);
  assert_int_equal(chdir(t.root), 0);
  for (int i = 0; i < SHORT + LONG; i++)
    assert_true(remove("x.png") == 0 && chdir(i < SHORT ? "d" : long_name) == 0);
  for (int i = SHORT + LONG; i-- > 0;)
    assert_true(chdir("..") == 0 && rmdir(i < SHORT ? "d" : long_name) == 0);
  assert_int_equal(chdir("/"), 0);
  tree_remove(&t);
}

static void nothing_usable_is_an_error(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"texts/a.txt", "texts/b/c.txt", "one.png", "what.txt",
                                       "sets/one/train/good/a.png", "sets/two/train/good/a.png",
                                       "bare/train/good/a.txt", "defects/train/hole/1.png", NULL});
  tree_folders(&t, "empty/");
  tree_put(&t, "zero.csv", "");
  assert_int_equal(mkfifo(tree_path(&t, "pipe"), 0600), 0);
  assert_int_equal(mkfifo(tree_path(&t, "texts/pipe.png"), 0600), 0);
  tree_link(&t, "texts/broken.png", "nowhere");
  tree_refuse(&t, "missing", BURL_ERR_IO, "cannot be opened: No such file");
  tree_refuse(&t, "empty", BURL_ERR_DATA, "it is empty");
  tree_refuse(&t, "texts", BURL_ERR_DATA, "holds no image (4 other files)");
  tree_refuse(&t, "one.png", BURL_ERR_DATA, "is a single image");
  tree_refuse(&t, "what.txt", BURL_ERR_FORMAT, "neither a folder nor a list");
  tree_refuse(&t, "zero.csv", BURL_ERR_FORMAT, "is empty");
  tree_refuse(&t, "pipe", BURL_ERR_DATA, "neither a folder nor a file");
  tree_refuse(&t, "sets", BURL_ERR_DATA, "holds whole data sets, such as 'one'");
  tree_refuse(&t, "bare", BURL_ERR_DATA, "but no image in train/good or test");
  tree_remove(&t);
}

/* Root may read everything, so root becomes another user for a moment. */
static void locked_folders_are_told(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"f/1.png", "f/locked/2.png", NULL});
  assert_int_equal(chmod(t.root, 0755), 0);
  assert_int_equal(chmod(tree_path(&t, "f"), 0755), 0);
  assert_int_equal(chmod(tree_path(&t, "f/1.png"), 0644), 0);
  assert_int_equal(chmod(tree_path(&t, "f/locked"), 0), 0);
  int root = geteuid() == 0;
  if (root) assert_int_equal(seteuid(65534), 0);
  expect_items(&t, "f", BURL_LAYOUT_FOLDER, "train 1.png good -\n");
  assert_told(&t, "/f/locked: cannot be opened: Permission denied");
  tree_refuse(&t, "f/locked", BURL_ERR_IO, "cannot be opened: Permission denied");
  const char *path = tree_path(&t, "f/locked");
  burl_dataset *dataset = NULL;
  assert_int_equal(burl_dataset_from_paths(&dataset, &path, 1, NULL, NULL), BURL_ERR_IO);
  assert_null(dataset);
  if (root) assert_int_equal(seteuid(0), 0);
  assert_int_equal(chmod(tree_path(&t, "f/locked"), 0700), 0);
  tree_remove(&t);
}

static burl_status load_paths(burl_dataset **dataset, tree *t, const char *const *names,
                              burl_diag *diag) {
  const char *paths[8];
  size_t count = 0;
  for (; names[count]; count++)
    paths[count] = tree_path(t, names[count]);
  burl_observer observer = tree_observer(t);
  return burl_dataset_from_paths(dataset, paths, count, &observer, diag);
}

static void paths_become_test_items(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t,
             (const char *const[]){"a/x.png", "a/sub/y.JPG", "b/x.png", "b/x-2.png", "b/n.txt",
                                   "c/x-2.png", "x.png", ".dot.png", "none/n.txt", "n.txt", NULL});
  tree_folders(&t, "empty/");
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  const char *const all[] = {"a/", "b", "x.png", "a/x.png", "c", NULL};
  assert_int_equal(load_paths(&dataset, &t, all, &diag), BURL_OK);
  assert_string_equal(
      list_items(&t, dataset),
      "test sub/y.JPG good -\ntest x-2-2.png good -\ntest x-2.png good -\ntest x-3.png good -\n"
      "test x-4.png good -\ntest x.png good -\n");
  assert_int_equal(burl_dataset_get_layout(dataset), BURL_LAYOUT_FOLDER);
  assert_told(&t, "/b: 1 of its entries is neither");
  assert_told(&t, "1 times a file is named again");
  assert_int_equal(t.problems, 2);
  burl_dataset_free(dataset);

  const char *const some[] = {".dot.png", "empty", "n.txt", NULL};
  assert_int_equal(load_paths(&dataset, &t, some, &diag), BURL_OK);
  assert_string_equal(list_items(&t, dataset), "test .dot.png good -\ntest n.txt good -\n");
  assert_told(&t, "/empty: holds no .png");
  assert_int_equal(burl_dataset_get_lost(dataset), 0);
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void paths_without_images_are_an_error(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, (const char *const[]){"a.png", "none/n.txt", NULL});
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  const char *const missing[] = {"a.png", "b.png", NULL};
  assert_int_equal(load_paths(&dataset, &t, missing + 1, &diag), BURL_ERR_IO);
  assert_non_null(strstr(diag.path, "/b.png"));
  assert_null(dataset);
  assert_int_equal(load_paths(&dataset, &t, missing, &diag), BURL_OK);
  assert_told(&t, "/b.png: cannot be opened: No such file");
  assert_int_equal(burl_dataset_get_count(dataset), 1);
  assert_int_equal(burl_dataset_get_lost(dataset), 1);
  burl_dataset_free(dataset);
  dataset = NULL;
  const char *const none[] = {"none", NULL};
  assert_int_equal(load_paths(&dataset, &t, none, &diag), BURL_ERR_DATA);
  assert_non_null(strstr(diag.reason, "1 paths, 1 other files"));
  assert_int_equal(load_paths(&dataset, &t, none + 1, &diag), BURL_ERR_DATA);
  assert_null(dataset);
  tree_remove(&t);
}

static void many_equal_names_are_numbered_quickly(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  char name[64], target[64];
  const char *paths[100];
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "d%03d/image.v1.png", i);
    tree_put(&t, name, "");
    snprintf(target, sizeof target, "d%03d", i);
    paths[i] = strdup(tree_path(&t, target));
    assert_non_null(paths[i]);
  }
  burl_dataset *dataset = NULL;
  assert_int_equal(burl_dataset_from_paths(&dataset, paths, 100, NULL, NULL), BURL_OK);
  assert_int_equal(burl_dataset_get_count(dataset), 100);
  for (size_t i = 0; i < 100; i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    unsigned folder = 0, number = 1;
    assert_int_equal(sscanf(item->path + strlen(t.root), "/d%3u/", &folder), 1);
    sscanf(item->name, "image.v1-%u.png", &number);
    assert_int_equal(number, folder + 1);
    free((void *)(uintptr_t)paths[i]);
  }
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void freeing_nothing_is_fine(void **state) {
  (void)state;
  burl_dataset_free(NULL);
}

/* Loads with every allocation failing in turn. */
static void fail_everywhere(tree *t, const char *name, int from_paths) {
  const char *paths[] = {tree_path(t, name)};
  burl_observer observer = tree_observer(t);
  for (long i = 0;; i++) {
    burl_dataset *dataset = NULL;
    burl_diag diag = {0};
    t->told[0] = '\0';
    fail_allocation_after(i);
    burl_status status = from_paths ? burl_dataset_from_paths(&dataset, paths, 1, &observer, &diag)
                                    : burl_dataset_load(&dataset, paths[0], &observer, &diag);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 5);
      burl_dataset_free(dataset);
      return;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_null(dataset);
  }
}

static void failing_allocations_are_told(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  tree_touch(&t, mvtec_files);
  tree_touch(&t, (const char *const[]){"f/a.png", "f/b/c.png", "f/b/d/e.png", "f/n.txt", NULL});
  tree_put(&t, "list.csv",
           "path,split,label,mask\nf/a.png,train,good,\nf/b/c.png,test,hole,f/b/d/e.png\n"
           "./f/b/d/e.png,test,good\nx/../f/b/d/e.png,test,good\n");
  fail_everywhere(&t, "set", 0);
  fail_everywhere(&t, "f", 0);
  fail_everywhere(&t, "list.csv", 0);
  fail_everywhere(&t, "f", 1);
  tree_remove(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mvtec_is_read),
      cmocka_unit_test(the_order_of_making_does_not_matter),
      cmocka_unit_test(the_first_of_several_masks_counts),
      cmocka_unit_test(mvtec_may_lack_a_half),
      cmocka_unit_test(oddities_of_mvtec_are_told),
      cmocka_unit_test(plain_folders_are_good_images),
      cmocka_unit_test(links_are_followed_once),
      cmocka_unit_test(links_back_make_no_classes),
      cmocka_unit_test(one_file_has_one_label),
      cmocka_unit_test(depth_is_survived),
      cmocka_unit_test(nothing_usable_is_an_error),
      cmocka_unit_test(locked_folders_are_told),
      cmocka_unit_test(paths_become_test_items),
      cmocka_unit_test(paths_without_images_are_an_error),
      cmocka_unit_test(many_equal_names_are_numbered_quickly),
      cmocka_unit_test(freeing_nothing_is_fine),
      cmocka_unit_test(failing_allocations_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
