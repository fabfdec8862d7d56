/* Loading: opens a file or a block of memory, looks at the first bytes, hands over to the decoder.
 * Files are streamed, so that a load takes the image's own memory and little more. */
#include "image/image_read.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const convert = "Convert it to PNG (8 or 16 bits) or JPEG.";

size_t burl_source_read(burl_source *source, void *out, size_t n) {
  size_t left = source->size - source->at;
  size_t got = n < left ? n : left;
  if (source->file) {
    got = fread(out, 1, got, source->file);
    if (ferror(source->file)) source->failed = 1;
  } else if (got) {
    memcpy(out, source->bytes + source->at, got);
  }
  source->at += got;
  return got;
}

burl_status burl_source_fail(const burl_source *source, const char *kind, burl_diag *diag) {
  if (source->failed)
    return burl_fail_at(diag, BURL_ERR_IO, source->name, (int64_t)source->at,
                        "Is the disk or the network share sound?", "cannot be read to its end");
  return burl_fail_at(
      diag, BURL_ERR_FORMAT, source->name, (int64_t)source->at, "Copy or save the image again.",
      "is a truncated %s: it ends after %zu bytes, in the middle of the image", kind, source->at);
}

burl_status burl_check_image_size(uint64_t height, uint64_t width, const burl_source *source,
                                  burl_diag *diag) {
  if (height == 0 || width == 0)
    return burl_fail(diag, BURL_ERR_FORMAT, source->name, NULL, "declares an image without pixels");
  if (height > BURL_IMAGE_MAX_SIDE || width > BURL_IMAGE_MAX_SIDE ||
      height > BURL_IMAGE_MAX_PIXELS / width)
    return burl_fail(
        diag, BURL_ERR_SIZE, source->name, "Cut the image into smaller ones.",
        "declares %llu x %llu pixels, more than the limit of %zu a side and %zu in all",
        (unsigned long long)width, (unsigned long long)height, BURL_IMAGE_MAX_SIDE,
        BURL_IMAGE_MAX_PIXELS);
  return BURL_OK;
}

typedef struct signature {
  const char *kind;
  size_t at, size;
  const char *bytes;
} signature;

static const signature png_signature = {"PNG", 0, 8, "\x89PNG\r\n\x1a\n"};
static const signature jpeg_signature = {"JPEG", 0, 3, "\xff\xd8\xff"};
static const signature other_signatures[] = {
    {"TIFF", 0, 4, "II*\0"},      {"TIFF", 0, 4, "MM\0*"},        {"BigTIFF", 0, 4, "II+\0"},
    {"BMP", 0, 2, "BM"},          {"GIF", 0, 4, "GIF8"},          {"WebP", 8, 4, "WEBP"},
    {"JPEG 2000", 4, 4, "jP  "},  {"HEIF or AVIF", 4, 4, "ftyp"}, {"JPEG XL", 4, 4, "JXL "},
    {"netpbm", 0, 2, "P5"},       {"netpbm", 0, 2, "P6"},         {"PDF", 0, 4, "%PDF"},
    {"NumPy", 0, 6, "\x93NUMPY"},
};

/* Does the start of a file (n bytes of it) agree with a signature as far as it goes? */
static int agrees(const signature *wanted, const unsigned char *start, size_t n) {
  if (n <= wanted->at) return 0;
  size_t known = n - wanted->at;
  return memcmp(start + wanted->at, wanted->bytes, known < wanted->size ? known : wanted->size) ==
         0;
}

static burl_status refuse(const burl_source *source, const unsigned char *start, size_t n,
                          burl_diag *diag) {
  for (size_t i = 0; i < sizeof other_signatures / sizeof *other_signatures; i++)
    if (n >= other_signatures[i].at + other_signatures[i].size &&
        agrees(&other_signatures[i], start, n))
      return burl_fail(diag, BURL_ERR_UNSUPPORTED, source->name, convert,
                       "is a %s file, neither PNG nor JPEG", other_signatures[i].kind);
  return burl_fail(diag, BURL_ERR_FORMAT, source->name, convert,
                   "is neither a PNG nor a JPEG file (its first byte is 0x%02X)", start[0]);
}

/* Looks at the first bytes and decodes; source->at is 0 and again 0 when the decoder starts. */
static burl_status read_source(burl_image *image, burl_image_info *info, burl_source *source,
                               burl_diag *diag) {
  unsigned char start[16];
  size_t n = burl_source_read(source, start, sizeof start);
  if (source->failed) return burl_source_fail(source, "image", diag);
  if (n == 0)
    return burl_fail(diag, BURL_ERR_FORMAT, source->name, "Copy or save the image again.",
                     "is empty (0 bytes)");
  source->at = 0;
  if (source->file) rewind(source->file);
  if (agrees(&png_signature, start, n)) return burl_png_read(image, info, source, diag);
  if (agrees(&jpeg_signature, start, n)) return burl_jpeg_read(image, info, source, diag);
  return refuse(source, start, n, diag);
}

/* Opens a regular file; a pipe or a device of this name cannot make it wait. */
static burl_status open_source(burl_source *source, const char *path, burl_diag *diag) {
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  struct stat st;
  burl_status status = BURL_OK;
  if (fstat(file, &st) != 0)
    status = burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be read");
  else if (S_ISDIR(st.st_mode))
    status = burl_fail(diag, BURL_ERR_IO, path, "Name an image file in it.", "is a folder");
  else if (!S_ISREG(st.st_mode))
    status =
        burl_fail(diag, BURL_ERR_IO, path, "Name a PNG or JPEG file.", "is not a regular file");
  FILE *stream = status == BURL_OK ? fdopen(file, "rb") : NULL;
  if (stream) {
    *source = (burl_source){.file = stream, .size = (size_t)st.st_size, .name = path};
    return BURL_OK;
  }
  if (status == BURL_OK) status = burl_fail_errno(diag, BURL_ERR_IO, path, "cannot be opened");
  close(file);
  return status;
}

static burl_status read_file(burl_image *image, burl_image_info *info, const char *path,
                             burl_diag *diag) {
  burl_source source;
  burl_status status = open_source(&source, path, diag);
  if (status != BURL_OK) return status;
  status = read_source(image, info, &source, diag);
  fclose(source.file);
  return status;
}

burl_status burl_image_load(burl_image *image, const char *path, burl_diag *diag) {
  burl_image_info info;
  return read_file(image, &info, path, diag);
}

burl_status burl_image_probe(burl_image_info *info, const char *path, burl_diag *diag) {
  return read_file(NULL, info, path, diag);
}

burl_status burl_image_decode(burl_image *image, const void *bytes, size_t size, const char *name,
                              burl_diag *diag) {
  burl_image_info info;
  burl_source source = {.bytes = bytes, .size = size, .name = name};
  return read_source(image, &info, &source, diag);
}
