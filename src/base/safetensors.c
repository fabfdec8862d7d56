/* Reading safetensors: the header goes through the JSON parser, then every number in it is checked.
 *
 * The file stays in one buffer. Tensors are checked one by one (type, shape, offsets, size) and
 * then, in the order of their offsets, as a whole: each must begin where the one before it ended
 * and the last must end with the file. The format does not ask for alignment (a BOOL of 3 elements
 * may come before an F32), so tensors that lie badly are copied, and only those. The JSON tree is
 * kept, as it owns the names and the metadata. */
#include "base/safetensors.h"

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/safetensors_header.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are used as they lie in the file, which is little-endian"
#endif

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {
#define DTYPE_ENTRY(name, text, size) [name] = {text, size},
    BURL_DTYPE_LIST(DTYPE_ENTRY)
#undef DTYPE_ENTRY
};
#define DTYPE_COUNT (sizeof dtypes / sizeof dtypes[0])

struct burl_safetensors {
  char *name;           /* for diagnoses */
  unsigned char *owned; /* the bytes, if they are ours to free */
  const unsigned char *bytes;
  size_t size, header; /* bytes of the file and of its header */
  json_t *root;
  burl_tensor *tensors;
  size_t count;
  burl_arena aligned; /* copies of tensors that do not lie aligned in the file */
};

const char *burl_dtype_get_name(burl_dtype dtype) {
  return (size_t)dtype < DTYPE_COUNT ? dtypes[dtype].name : "?";
}

size_t burl_dtype_get_size(burl_dtype dtype) {
  return (size_t)dtype < DTYPE_COUNT ? dtypes[dtype].size : 0;
}

static burl_status read_dtype(burl_tensor *tensor, json_t *value, const char *path,
                              burl_diag *diag) {
  const char *text = json_string_value(value);
  if (!text)
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL, "tensor \"%s\" has no dtype", tensor->name);
  for (size_t i = 0; i < DTYPE_COUNT; i++) {
    if (strcmp(text, dtypes[i].name) != 0) continue;
    tensor->dtype = (burl_dtype)i;
    return BURL_OK;
  }
  return burl_fail(diag, BURL_ERR_UNSUPPORTED, path, "Convert the tensor to F32.",
                   "tensor \"%s\" has the unknown dtype \"%s\"", tensor->name, text);
}

static burl_status read_shape(burl_tensor *tensor, json_t *value, const char *path,
                              burl_diag *diag) {
  if (!json_is_array(value))
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL, "tensor \"%s\" has no shape", tensor->name);
  if (json_array_size(value) > BURL_TENSOR_MAX_RANK)
    return burl_fail(diag, BURL_ERR_UNSUPPORTED, path, NULL,
                     "tensor \"%s\" has %zu dimensions, more than %d", tensor->name,
                     json_array_size(value), BURL_TENSOR_MAX_RANK);
  tensor->rank = json_array_size(value);
  tensor->count = 1;
  for (size_t axis = 0; axis < tensor->rank; axis++) {
    json_t *item = json_array_get(value, axis);
    json_int_t length = json_integer_value(item);
    if (!json_is_integer(item) || length < 0 || (uintmax_t)length > SIZE_MAX)
      return burl_fail(diag, BURL_ERR_FORMAT, path, NULL,
                       "tensor \"%s\": entry %zu of its shape is not a size", tensor->name, axis);
    tensor->shape[axis] = (size_t)length;
    if (!burl_size_mul(&tensor->count, tensor->count, (size_t)length))
      return burl_fail(diag, BURL_ERR_FORMAT, path, NULL,
                       "tensor \"%s\": the product of its shape does not fit", tensor->name);
  }
  if (!burl_size_mul(&tensor->size, tensor->count, burl_dtype_get_size(tensor->dtype)))
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL,
                     "tensor \"%s\": the product of its shape does not fit", tensor->name);
  return BURL_OK;
}

/* room: bytes of all tensors */
static burl_status read_offsets(burl_tensor *tensor, json_t *value, const unsigned char *data,
                                size_t room, const char *path, burl_diag *diag) {
  json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);
  if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL, "tensor \"%s\" has no pair of data_offsets",
                     tensor->name);
  json_int_t begin = json_integer_value(first), end = json_integer_value(last);
  if (begin < 0 || end < begin || (uintmax_t)end > room)
    return burl_fail(
        diag, BURL_ERR_FORMAT, path, "The file may be cut off; fetch it again.",
        "tensor \"%s\": its data_offsets %lld..%lld are not within the %zu bytes of data",
        tensor->name, (long long)begin, (long long)end, room);
  if ((uintmax_t)(end - begin) != tensor->size)
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL,
                     "tensor \"%s\" has %lld bytes, but its shape and dtype take %zu", tensor->name,
                     (long long)(end - begin), tensor->size);
  tensor->data = data + begin;
  return BURL_OK;
}

static burl_status read_tensor(const burl_safetensors *file, burl_tensor *tensor, const char *name,
                               json_t *info, burl_diag *diag) {
  const size_t start = BURL_SAFETENSORS_PREFIX + file->header;
  tensor->name = name;
  if (json_object_size(info) != 3)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, NULL,
                     "tensor \"%s\" is not described by dtype, shape and data_offsets", name);
  burl_status status = read_dtype(tensor, json_object_get(info, "dtype"), file->name, diag);
  if (status == BURL_OK)
    status = read_shape(tensor, json_object_get(info, "shape"), file->name, diag);
  if (status == BURL_OK)
    status = read_offsets(tensor, json_object_get(info, "data_offsets"), file->bytes + start,
                          file->size - start, file->name, diag);
  return status;
}

static burl_status check_metadata(json_t *metadata, const char *path, burl_diag *diag) {
  const char *key;
  json_t *value;
  if (!json_is_object(metadata))
    return burl_fail(diag, BURL_ERR_FORMAT, path, NULL, BURL_METADATA_NAME " is not an object");
  json_object_foreach(metadata, key, value) {
    if (!json_is_string(value))
      return burl_fail(diag, BURL_ERR_FORMAT, path, NULL, "the metadata entry \"%s\" is not a text",
                       key);
  }
  return BURL_OK;
}

/* Finds the header between the length in front of it and the data. */
static burl_status find_header(burl_safetensors *file, burl_diag *diag) {
  uint64_t length = 0;
  if (file->size < BURL_SAFETENSORS_PREFIX)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, "Is it a safetensors file?",
                     "has %zu bytes, fewer than the shortest safetensors file", file->size);
  for (int i = BURL_SAFETENSORS_PREFIX - 1; i >= 0; i--)
    length = length << 8 | file->bytes[i];
  if (length > file->size - BURL_SAFETENSORS_PREFIX)
    return burl_fail_at(diag, BURL_ERR_FORMAT, file->name, 0,
                        "Is it a safetensors file? It may be cut off.",
                        "the length of the header, %llu, is beyond the end of the file",
                        (unsigned long long)length);
  if (length == 0 || file->bytes[BURL_SAFETENSORS_PREFIX] != '{')
    return burl_fail_at(diag, BURL_ERR_FORMAT, file->name, BURL_SAFETENSORS_PREFIX,
                        "Is it a safetensors file?", "the header does not begin with '{'");
  file->header = (size_t)length;
  return BURL_OK;
}

/* Where memory runs out inside a text the parser of libjansson 2.14 loses characters and goes on,
 * or asserts. So the memory it may need must be there beforehand, and errno is looked at as well.
 */
static burl_status parse_header(burl_safetensors *file, burl_diag *diag) {
  const unsigned char *header = file->bytes + BURL_SAFETENSORS_PREFIX;
  size_t memory;
  json_error_t error = {0};
  burl_status status =
      burl_safetensors_check_header(&memory, header, file->header, file->name, diag);
  if (status != BURL_OK) return status;
  void *reserve = burl_alloc(memory, 1);
  if (!reserve) return burl_fail_memory(diag, file->name);
  free(reserve);
  errno = 0;
  file->root = json_loadb((const char *)header, file->header, JSON_REJECT_DUPLICATES, &error);
  if (errno == ENOMEM || (!file->root && error.text[0] == '\0'))
    return burl_fail_memory(diag, file->name);
  if (file->root) return BURL_OK;
  return burl_fail_at(diag, BURL_ERR_FORMAT, file->name, BURL_SAFETENSORS_PREFIX + error.position,
                      NULL, "the header is not JSON: %s", error.text);
}

static int compare_places(const void *a, const void *b) {
  const burl_tensor *x = a, *y = b;
  const unsigned char *p = x->data, *q = y->data;
  if (p != q) return p < q ? -1 : 1;
  return (x->size > y->size) - (x->size < y->size); /* empty ones before the one they stand at */
}

static int compare_names(const void *a, const void *b) {
  const burl_tensor *x = a, *y = b;
  return strcmp(x->name, y->name);
}

/* The tensors must follow each other and fill the data. */
static burl_status check_cover(burl_safetensors *file, burl_diag *diag) {
  const unsigned char *const data = file->bytes + BURL_SAFETENSORS_PREFIX + file->header;
  const unsigned char *place = data;
  if (file->count > 0) qsort(file->tensors, file->count, sizeof *file->tensors, compare_places);
  for (size_t i = 0; i < file->count; i++) {
    const burl_tensor *tensor = &file->tensors[i];
    const unsigned char *begin = tensor->data;
    if (begin != place)
      return burl_fail(
          diag, BURL_ERR_FORMAT, file->name, NULL,
          "tensor \"%s\" begins at byte %zu of the data, but the ones before it end at "
          "%zu",
          tensor->name, (size_t)(begin - data), (size_t)(place - data));
    place += tensor->size;
  }
  const unsigned char *const end = file->bytes + file->size;
  if (place != end)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, NULL,
                     "the tensors end %zu bytes before the end of the file", (size_t)(end - place));
  return BURL_OK;
}

static int is_aligned(const burl_tensor *tensor) {
  return (uintptr_t)tensor->data % burl_dtype_get_size(tensor->dtype) == 0;
}

static burl_status align_tensors(burl_safetensors *file, burl_diag *diag) {
  size_t copies = 0;
  for (size_t i = 0; i < file->count; i++) {
    if (is_aligned(&file->tensors[i])) continue;
    burl_arena_reserve(&file->aligned, file->tensors[i].size, 1);
    copies++;
  }
  if (copies == 0) return BURL_OK;
  if (!burl_arena_open(&file->aligned)) return burl_fail_memory(diag, file->name);
  for (size_t i = 0; i < file->count; i++) {
    burl_tensor *tensor = &file->tensors[i];
    if (is_aligned(tensor)) continue;
    void *copy = burl_arena_take(&file->aligned, tensor->size, 1);
    memcpy(copy, tensor->data, tensor->size);
    tensor->data = copy;
  }
  return BURL_OK;
}

static burl_status read_tensors(burl_safetensors *file, burl_diag *diag) {
  const char *name;
  json_t *info;
  burl_status status = BURL_OK;
  file->tensors = burl_alloc_zero(json_object_size(file->root), sizeof *file->tensors);
  if (!file->tensors) return burl_fail_memory(diag, file->name);
  json_object_foreach(file->root, name, info) {
    if (strcmp(name, BURL_METADATA_NAME) == 0)
      status = check_metadata(info, file->name, diag);
    else
      status = read_tensor(file, &file->tensors[file->count++], name, info, diag);
    if (status != BURL_OK) return status;
  }
  status = check_cover(file, diag);
  if (status == BURL_OK) status = align_tensors(file, diag);
  if (status == BURL_OK && file->count > 0)
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_names);
  return status;
}

/* `owned` is NULL or bytes to be freed with the file, also where this fails. */
static burl_status open_bytes(burl_safetensors **file, const void *bytes, size_t size,
                              unsigned char *owned, const char *name, burl_diag *diag) {
  burl_safetensors *made = burl_alloc_zero(1, sizeof *made);
  if (!made) {
    free(owned);
    return burl_fail_memory(diag, name);
  }
  made->owned = owned;
  made->bytes = bytes;
  made->size = size;
  made->name = burl_copy_text(name);
  burl_status status = made->name ? find_header(made, diag) : burl_fail_memory(diag, name);
  if (status == BURL_OK) status = parse_header(made, diag);
  if (status == BURL_OK) status = read_tensors(made, diag);
  if (status == BURL_OK)
    *file = made;
  else
    burl_safetensors_free(made);
  return status;
}

burl_status burl_safetensors_load(burl_safetensors **file, const char *path, burl_diag *diag) {
  unsigned char *bytes;
  size_t size;
  burl_status status = burl_file_read(&bytes, &size, path, BURL_SAFETENSORS_MAX_FILE, diag);
  if (status != BURL_OK) return status;
  return open_bytes(file, bytes, size, bytes, path, diag);
}

burl_status burl_safetensors_parse(burl_safetensors **file, const void *bytes, size_t size,
                                   const char *name, burl_diag *diag) {
  return open_bytes(file, bytes, size, NULL, name, diag);
}

void burl_safetensors_free(burl_safetensors *file) {
  if (!file) return;
  burl_arena_close(&file->aligned);
  free(file->tensors);
  json_decref(file->root);
  free(file->owned);
  free(file->name);
  free(file);
}

size_t burl_safetensors_get_count(const burl_safetensors *file) {
  return file->count;
}

const burl_tensor *burl_safetensors_get_tensor(const burl_safetensors *file, size_t index) {
  return index < file->count ? &file->tensors[index] : NULL;
}

const burl_tensor *burl_safetensors_find(const burl_safetensors *file, const char *name) {
  const burl_tensor wanted = {.name = name};
  if (file->count == 0) return NULL;
  return bsearch(&wanted, file->tensors, file->count, sizeof *file->tensors, compare_names);
}

const char *burl_safetensors_get_metadata(const burl_safetensors *file, const char *key) {
  return json_string_value(json_object_get(json_object_get(file->root, BURL_METADATA_NAME), key));
}

#define SHAPE_TEXT (BURL_TENSOR_MAX_RANK * 22 + 8)

/* "[2, 3]" */
static void format_shape(char text[SHAPE_TEXT], const size_t *shape, size_t rank) {
  size_t used = (size_t)snprintf(text, SHAPE_TEXT, "[");
  for (size_t axis = 0; axis < rank && axis < BURL_TENSOR_MAX_RANK; axis++)
    used += (size_t)snprintf(text + used, SHAPE_TEXT - used, axis ? ", %zu" : "%zu", shape[axis]);
  snprintf(text + used, SHAPE_TEXT - used, rank > BURL_TENSOR_MAX_RANK ? ", ..]" : "]");
}

static int is_finite(float value) {
  return value - value == 0.0f;
}

static burl_status check_finite(const burl_tensor *tensor, const char *path, burl_diag *diag) {
  const float *values = tensor->data;
  int bad = 0;
  for (size_t i = 0; i < tensor->count; i++)
    bad |= !is_finite(values[i]);
  if (!bad) return BURL_OK;
  size_t i = 0;
  while (is_finite(values[i]))
    i++;
  return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL,
                   "tensor \"%s\" holds a value that is not finite, at element %zu", tensor->name,
                   i);
}

burl_status burl_safetensors_get_floats(const burl_safetensors *file, const float **values,
                                        const char *name, const size_t *shape, size_t rank,
                                        burl_diag *diag) {
  const char *hint = "Is this the right file? Make it anew.";
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (!tensor)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, hint, "tensor \"%s\" is missing", name);
  if (tensor->dtype != BURL_DTYPE_F32)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, hint,
                     "tensor \"%s\" has dtype %s, expected F32", name,
                     burl_dtype_get_name(tensor->dtype));
  if (tensor->rank != rank || (rank > 0 && memcmp(tensor->shape, shape, rank * sizeof *shape))) {
    char found[SHAPE_TEXT], expected[SHAPE_TEXT];
    format_shape(found, tensor->shape, tensor->rank);
    format_shape(expected, shape, rank);
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, hint,
                     "tensor \"%s\" has shape %s, expected %s", name, found, expected);
  }
  burl_status status = check_finite(tensor, file->name, diag);
  if (status == BURL_OK) *values = tensor->data;
  return status;
}

burl_status burl_safetensors_check_checksum(const burl_safetensors *file, burl_diag *diag) {
  const char *written = burl_safetensors_get_metadata(file, BURL_CHECKSUM_KEY);
  if (!written)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, NULL,
                     "has no checksum (metadata \"" BURL_CHECKSUM_KEY "\")");
  size_t at = burl_safetensors_find_digits(file->bytes + BURL_SAFETENSORS_PREFIX, file->header);
  if (at == SIZE_MAX)
    return burl_fail(diag, BURL_ERR_FORMAT, file->name, "It was not written by burl; make it anew.",
                     "the checksum \"%s\" is not written in burl's form", written);
  at += BURL_SAFETENSORS_PREFIX;
  const size_t rest = at + BURL_CHECKSUM_DIGITS;
  char found[BURL_CHECKSUM_DIGITS + 1];
  uLong crc = crc32_z(0, file->bytes, at);
  crc = crc32_z(crc, (const unsigned char *)"00000000", BURL_CHECKSUM_DIGITS);
  crc = crc32_z(crc, file->bytes + rest, file->size - rest);
  burl_safetensors_format_checksum(found, crc);
  if (memcmp(found, file->bytes + at, BURL_CHECKSUM_DIGITS) == 0) return BURL_OK;
  return burl_fail_at(diag, BURL_ERR_CHECKSUM, file->name, (int64_t)at,
                      "The file was changed or damaged; take a good copy.",
                      "its checksum is %s, but its content gives %s", written, found);
}
