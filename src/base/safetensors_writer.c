/* Writing safetensors: the same content gives the same bytes.
 *
 * The header's keys are sorted and it is padded with spaces to a multiple of 8 bytes; tensors are
 * laid out by falling element size and then by name, which aligns each of them without gaps. The
 * checksum is taken with zeros in its own place, so the data is gone through once before anything
 * is written and the file is written from front to back. */
#include "base/safetensors.h"

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/safetensors_header.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER_MULTIPLE 8

typedef struct entry {
  char *name;
  burl_dtype dtype;
  size_t rank, shape[BURL_TENSOR_MAX_RANK];
  size_t size; /* bytes */
  const void *data;
} entry;

struct burl_safetensors_writer {
  json_t *metadata;
  entry *entries;
  size_t count, room;
  int checksum;
  burl_diag failure; /* the first one; status BURL_OK: none */
};

/* What goes to the file in front of the data. */
typedef struct layout {
  const entry **order;
  unsigned char *head; /* length and header */
  size_t head_size, data_size;
} layout;

burl_status burl_safetensors_writer_new(burl_safetensors_writer **writer) {
  burl_safetensors_writer *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->metadata = json_object();
  if (!made->metadata) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  *writer = made;
  return BURL_OK;
}

void burl_safetensors_writer_free(burl_safetensors_writer *writer) {
  if (!writer) return;
  for (size_t i = 0; i < writer->count; i++)
    free(writer->entries[i].name);
  free(writer->entries);
  json_decref(writer->metadata);
  free(writer);
}

/* Bytes of the UTF-8 character at text, which is not at its end; 0 where it is none. */
static size_t character_length(const unsigned char *text) {
  if (text[0] < 0x80) return 1;
  if (text[0] < 0xC2 || text[0] > 0xF4) return 0;
  size_t length = text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
  unsigned char low = 0x80, high = 0xBF; /* of the second byte */
  if (text[0] == 0xE0) low = 0xA0;       /* shorter forms exist */
  if (text[0] == 0xED) high = 0x9F;      /* surrogates */
  if (text[0] == 0xF0) low = 0x90;
  if (text[0] == 0xF4) high = 0x8F; /* beyond U+10FFFF */
  if (text[1] < low || text[1] > high) return 0;
  for (size_t i = 2; i < length; i++)
    if ((text[i] & 0xC0) != 0x80) return 0;
  return length;
}

static int is_utf8(const char *text) {
  const unsigned char *c = (const unsigned char *)text;
  while (*c) {
    size_t length = character_length(c);
    if (length == 0) return 0;
    c += length;
  }
  return 1;
}

burl_status burl_safetensors_writer_add_metadata(burl_safetensors_writer *writer, const char *key,
                                                 const char *text) {
  burl_diag *failure = &writer->failure;
  if (failure->status != BURL_OK) return failure->status;
  if (!is_utf8(key) || !is_utf8(text))
    return burl_fail(failure, BURL_ERR_ARGUMENT, NULL, NULL,
                     "the metadata entry \"%s\" is not UTF-8", key);
  if (strcmp(key, BURL_CHECKSUM_KEY) == 0 || json_object_get(writer->metadata, key))
    return burl_fail(failure, BURL_ERR_ARGUMENT, NULL, NULL, "the metadata entry \"%s\" is taken",
                     key);
  if (json_object_set_new(writer->metadata, key, json_string(text)) != 0)
    return burl_fail_memory(failure, NULL);
  return BURL_OK;
}

static burl_status check_name(const burl_safetensors_writer *writer, const char *name,
                              burl_diag *diag) {
  int taken = strcmp(name, BURL_METADATA_NAME) == 0;
  for (size_t i = 0; i < writer->count && !taken; i++)
    taken = strcmp(name, writer->entries[i].name) == 0;
  if (taken)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "the tensor name \"%s\" is taken", name);
  if (!is_utf8(name))
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "the tensor name \"%s\" is not UTF-8",
                     name);
  return BURL_OK;
}

/* Room for one more entry. */
static int grow(burl_safetensors_writer *writer) {
  if (writer->count < writer->room) return 1;
  size_t room = writer->room ? 2 * writer->room : 16;
  entry *entries = burl_alloc(room, sizeof *entries);
  if (!entries) return 0;
  if (writer->count) memcpy(entries, writer->entries, writer->count * sizeof *entries);
  free(writer->entries);
  writer->entries = entries;
  writer->room = room;
  return 1;
}

burl_status burl_safetensors_writer_add_tensor(burl_safetensors_writer *writer, const char *name,
                                               burl_dtype dtype, const size_t *shape, size_t rank,
                                               const void *data) {
  burl_diag *failure = &writer->failure;
  entry made = {.dtype = dtype, .rank = rank, .size = burl_dtype_get_size(dtype), .data = data};
  if (failure->status != BURL_OK) return failure->status;
  if (check_name(writer, name, failure) != BURL_OK) return failure->status;
  if (made.size == 0 || rank > BURL_TENSOR_MAX_RANK)
    return burl_fail(failure, BURL_ERR_ARGUMENT, NULL, NULL,
                     "tensor \"%s\" has no known type or %zu dimensions, more than %d", name, rank,
                     BURL_TENSOR_MAX_RANK);
  for (size_t axis = 0; axis < rank; axis++) {
    made.shape[axis] = shape[axis];
    if (!burl_size_mul(&made.size, made.size, shape[axis]) || shape[axis] > INT64_MAX)
      return burl_fail(failure, BURL_ERR_SIZE, NULL, NULL,
                       "tensor \"%s\": the product of its shape does not fit", name);
  }
  made.name = grow(writer) ? burl_copy_text(name) : NULL;
  if (!made.name) return burl_fail_memory(failure, NULL);
  writer->entries[writer->count++] = made;
  return BURL_OK;
}

void burl_safetensors_writer_add_checksum(burl_safetensors_writer *writer) {
  writer->checksum = 1;
}

static int compare_entries(const void *a, const void *b) {
  const entry *const *x = a, *const *y = b;
  size_t p = burl_dtype_get_size((*x)->dtype), q = burl_dtype_get_size((*y)->dtype);
  if (p != q) return p > q ? -1 : 1;
  return strcmp((*x)->name, (*y)->name);
}

/* Orders the tensors and sums their sizes. */
static burl_status arrange(layout *plan, const burl_safetensors_writer *writer, const char *path,
                           burl_diag *diag) {
  plan->order = burl_alloc(writer->count, sizeof *plan->order);
  if (!plan->order) return burl_fail_memory(diag, path);
  for (size_t i = 0; i < writer->count; i++) {
    plan->order[i] = &writer->entries[i];
    size_t size = writer->entries[i].size;
    if (size > BURL_SAFETENSORS_MAX_FILE - plan->data_size)
      return burl_fail(diag, BURL_ERR_SIZE, path, NULL, "the file would have more than %zu bytes",
                       (size_t)BURL_SAFETENSORS_MAX_FILE);
    plan->data_size += size;
  }
  if (writer->count > 0) qsort(plan->order, writer->count, sizeof *plan->order, compare_entries);
  return BURL_OK;
}

/* The setters of the JSON library take values over and fail for NULL, so that running out of memory
 * anywhere in here shows in `failed`. */
static json_t *describe_tensor(const entry *tensor, size_t begin) {
  json_t *info = json_object(), *shape = json_array(), *offsets = json_array();
  int failed = 0;
  for (size_t axis = 0; axis < tensor->rank; axis++)
    failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->shape[axis]));
  failed |= json_array_append_new(offsets, json_integer((json_int_t)begin));
  failed |= json_array_append_new(offsets, json_integer((json_int_t)(begin + tensor->size)));
  failed |= json_object_set_new(info, "dtype", json_string(burl_dtype_get_name(tensor->dtype)));
  failed |= json_object_set_new(info, "shape", shape);
  failed |= json_object_set_new(info, "data_offsets", offsets);
  if (!failed) return info;
  json_decref(info);
  return NULL;
}

/* Not json_copy, which leaves out silently what it has no memory for. */
static json_t *describe_metadata(const burl_safetensors_writer *writer) {
  json_t *metadata = json_object(), *text;
  const char *key;
  int failed = !metadata;
  json_object_foreach(writer->metadata, key, text) {
    failed |= json_object_set(metadata, key, text);
  }
  if (writer->checksum)
    failed |= json_object_set_new(metadata, BURL_CHECKSUM_KEY, json_string("00000000"));
  if (!failed) return metadata;
  json_decref(metadata);
  return NULL;
}

static json_t *describe_file(const layout *plan, const burl_safetensors_writer *writer) {
  json_t *root = json_object();
  int failed = !root;
  if (writer->checksum || json_object_size(writer->metadata) > 0)
    failed |= json_object_set_new(root, BURL_METADATA_NAME, describe_metadata(writer));
  size_t begin = 0;
  for (size_t i = 0; i < writer->count && !failed; i++) {
    const entry *tensor = plan->order[i];
    failed |= json_object_set_new(root, tensor->name, describe_tensor(tensor, begin));
    begin += tensor->size;
  }
  if (!failed) return root;
  json_decref(root);
  return NULL;
}

/* Makes plan->head: length, header, spaces. */
static burl_status make_head(layout *plan, json_t *root, const char *path, burl_diag *diag) {
  const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
  size_t text = json_dumpb(root, NULL, 0, flags);
  if (text == 0) return burl_fail_memory(diag, path);
  size_t padded = (text + HEADER_MULTIPLE - 1) / HEADER_MULTIPLE * HEADER_MULTIPLE;
  plan->head_size = BURL_SAFETENSORS_PREFIX + padded;
  plan->head = burl_alloc(plan->head_size, 1);
  if (!plan->head) return burl_fail_memory(diag, path);
  for (size_t i = 0; i < BURL_SAFETENSORS_PREFIX; i++)
    plan->head[i] = (unsigned char)((uint64_t)padded >> (8 * i));
  char *header = (char *)plan->head + BURL_SAFETENSORS_PREFIX;
  if (json_dumpb(root, header, text, flags) != text) return burl_fail_memory(diag, path);
  memset(header + text, ' ', padded - text);
  if (plan->head_size > BURL_SAFETENSORS_MAX_FILE - plan->data_size)
    return burl_fail(diag, BURL_ERR_SIZE, path, NULL, "the file would have more than %zu bytes",
                     (size_t)BURL_SAFETENSORS_MAX_FILE);
  size_t memory;
  return burl_safetensors_check_header(&memory, (unsigned char *)header, padded, path, diag);
}

/* Replaces the zeros that stand for the checksum. */
static void seal(layout *plan, const burl_safetensors_writer *writer) {
  char digits[BURL_CHECKSUM_DIGITS + 1];
  uLong crc = crc32_z(0, plan->head, plan->head_size);
  for (size_t i = 0; i < writer->count; i++)
    if (plan->order[i]->size) crc = crc32_z(crc, plan->order[i]->data, plan->order[i]->size);
  burl_safetensors_format_checksum(digits, crc);
  unsigned char *header = plan->head + BURL_SAFETENSORS_PREFIX;
  size_t at = burl_safetensors_find_digits(header, plan->head_size - BURL_SAFETENSORS_PREFIX);
  memcpy(header + at, digits, BURL_CHECKSUM_DIGITS);
}

static burl_status write_layout(const layout *plan, size_t count, const char *path,
                                burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fwrite(plan->head, 1, plan->head_size, out.stream);
  for (size_t i = 0; i < count; i++)
    if (plan->order[i]->size) fwrite(plan->order[i]->data, 1, plan->order[i]->size, out.stream);
  return burl_output_commit(&out, diag);
}

burl_status burl_safetensors_writer_save(const burl_safetensors_writer *writer, const char *path,
                                         burl_diag *diag) {
  layout plan = {0};
  if (writer->failure.status != BURL_OK)
    return burl_fail(diag, writer->failure.status, path, writer->failure.hint,
                     "cannot be written: %s", writer->failure.reason);
  json_t *root = NULL;
  burl_status status = arrange(&plan, writer, path, diag);
  if (status == BURL_OK && !(root = describe_file(&plan, writer)))
    status = burl_fail_memory(diag, path);
  if (status == BURL_OK) status = make_head(&plan, root, path, diag);
  if (status == BURL_OK && writer->checksum) seal(&plan, writer);
  if (status == BURL_OK) status = write_layout(&plan, writer->count, path, diag);
  json_decref(root);
  free(plan.order);
  free(plan.head);
  return status;
}
