/* PNG writing through libpng, one row at a time, into a file or a growing block of memory.
 *
 * libpng reports failures by longjmp. All state lives in the writer, and every call into libpng
 * goes through run(), so no local variable is alive across a jump. The first failure is kept and
 * ends the picture; commit tells it.
 *
 * Speed is chosen over size: differences to the row above, run lengths and Huffman codes take half
 * the time of zlib's quickest search for matches, and give smaller files of photographs, somewhat
 * larger ones of heat maps.
 */
#include "image/png_write.h"

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ZLIB_LEVEL = 1, IDAT_BYTES = 1 << 16 };

struct burl_png_writer {
  png_structp png;
  png_infop info;
  jmp_buf jump;
  burl_status status; /* the first failure */
  char reason[128];   /* libpng's word for it */
  size_t height, width, channels, rows;
  burl_sample sample;
  const char *key, *text; /* borrowed while opening */
  int to_file;
  burl_output out; /* if to_file */
  unsigned char *bytes;
  size_t size, room;
};

static void on_error(png_structp png, png_const_charp message) {
  burl_png_writer *writer = png_get_error_ptr(png);
  if (writer->status == BURL_OK) {
    writer->status = BURL_ERR_IO;
    snprintf(writer->reason, sizeof writer->reason, "%s", message);
  }
  longjmp(writer->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static png_voidp take_memory(png_structp png, png_alloc_size_t size) {
  burl_png_writer *writer = png_get_mem_ptr(png);
  void *block = malloc(size);
  if (!block && writer->status == BURL_OK) writer->status = BURL_ERR_MEMORY;
  return block;
}

static void give_memory(png_structp png, png_voidp block) {
  (void)png;
  free(block);
}

static void write_to_file(png_structp png, png_bytep data, size_t size) {
  burl_png_writer *writer = png_get_io_ptr(png);
  if (fwrite(data, 1, size, writer->out.stream) == size) return;
  char text[sizeof writer->reason];
  png_error(png, strerror_r(errno, text, sizeof text) == 0 ? text : "a write failed");
}

static void write_to_memory(png_structp png, png_bytep data, size_t size) {
  burl_png_writer *writer = png_get_io_ptr(png);
  if (size > writer->room - writer->size) {
    size_t room = writer->room + writer->room / 2 + size + 1024;
    unsigned char *grown = room > size ? realloc(writer->bytes, room) : NULL;
    if (!grown) {
      writer->status = BURL_ERR_MEMORY;
      png_error(png, "not enough memory");
    }
    writer->bytes = grown;
    writer->room = room;
  }
  memcpy(writer->bytes + writer->size, data, size);
  writer->size += size;
}

static void flush_nothing(png_structp png) {
  (void)png;
}

static int is_ascii(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 0x80) return 0;
  return 1;
}

static void set_text(burl_png_writer *writer) {
  union { /* libpng takes the key as char *, and does not write to it */
    const char *given;
    char *taken;
  } key = {writer->key}, text = {writer->text};
  png_text chunk = {0};
  chunk.compression =
      is_ascii(writer->text) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  chunk.key = key.taken;
  chunk.text = text.taken;
  png_set_text(writer->png, writer->info, &chunk, 1);
}

static void write_header(burl_png_writer *writer, const void *unused) {
  (void)unused;
  const uint16_t one = 1;
  png_structp png = writer->png;
  png_set_write_fn(png, writer, writer->to_file ? write_to_file : write_to_memory, flush_nothing);
  png_set_user_limits(png, (png_uint_32)BURL_IMAGE_MAX_SIDE, (png_uint_32)BURL_IMAGE_MAX_SIDE);
  png_set_IHDR(png, writer->info, (png_uint_32)writer->width, (png_uint_32)writer->height,
               writer->sample == BURL_U16 ? 16 : 8,
               writer->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (writer->key) set_text(writer);
  png_set_compression_level(png, ZLIB_LEVEL);
  png_set_compression_buffer_size(png, IDAT_BYTES);
  png_set_compression_strategy(png, Z_RLE);
  png_set_filter(png, PNG_FILTER_TYPE_DEFAULT, PNG_FILTER_UP);
  png_write_info(png, writer->info);
  if (writer->sample == BURL_U16 && *(const unsigned char *)&one == 1) png_set_swap(png);
}

static void write_row(burl_png_writer *writer, const void *row) {
  png_write_row(writer->png, row);
}

static void write_end(burl_png_writer *writer, const void *unused) {
  (void)unused;
  png_write_end(writer->png, NULL);
}

/* Runs a step that calls libpng; afterwards writer->status holds any failure. */
static void run(burl_png_writer *writer, void (*step)(burl_png_writer *, const void *),
                const void *argument) {
  if (setjmp(writer->jump) == 0) step(writer, argument);
}

static burl_status check_shape(const char *path, size_t height, size_t width, size_t channels,
                               burl_sample sample, burl_diag *diag) {
  if (height == 0 || width == 0 || (channels != 1 && channels != 3))
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL,
                     "a picture of %zu x %zu pixels with %zu channels cannot be written", width,
                     height, channels);
  if (sample != BURL_U8 && sample != BURL_U16)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, "Bring the samples to 8 or 16 bits first.",
                     "samples of %d bytes cannot be written as PNG", (int)sample);
  if (height > BURL_IMAGE_MAX_SIDE || width > BURL_IMAGE_MAX_SIDE ||
      height > BURL_IMAGE_MAX_PIXELS / width)
    return burl_fail(diag, BURL_ERR_SIZE, path, NULL,
                     "a picture of %zu x %zu pixels is larger than the limit of %zu pixels a side "
                     "and %zu in all",
                     width, height, BURL_IMAGE_MAX_SIDE, BURL_IMAGE_MAX_PIXELS);
  return BURL_OK;
}

/* Makes the writer and libpng's two structures, without any output yet. */
static burl_png_writer *make_writer(size_t height, size_t width, size_t channels,
                                    burl_sample sample) {
  burl_png_writer *writer = burl_alloc_zero(1, sizeof *writer);
  if (!writer) return NULL;
  writer->height = height;
  writer->width = width;
  writer->channels = channels;
  writer->sample = sample;
  writer->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning,
                                          writer, take_memory, give_memory);
  if (writer->png) writer->info = png_create_info_struct(writer->png);
  if (writer->info) return writer;
  burl_png_writer_abandon(writer);
  return NULL;
}

/* Tells the kept failure, BURL_OK if there is none. */
static burl_status tell(const burl_png_writer *writer, burl_diag *diag) {
  const char *path = writer->to_file ? writer->out.path : NULL;
  if (writer->status == BURL_OK && writer->rows != writer->height)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL, "%zu rows of %zu were written",
                     writer->rows, writer->height);
  if (writer->status == BURL_ERR_MEMORY) return burl_fail_memory(diag, path);
  if (writer->status == BURL_ERR_ARGUMENT)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL, "more than %zu rows were written",
                     writer->height);
  if (writer->status != BURL_OK)
    return burl_fail(diag, writer->status, path, "Is there room on the disk?",
                     "cannot be written: %s", writer->reason);
  return BURL_OK;
}

/* Writes the header; on failure the writer is gone. */
static burl_status start(burl_png_writer **started, burl_png_writer *writer, burl_diag *diag) {
  run(writer, write_header, NULL);
  if (writer->status == BURL_OK) {
    *started = writer;
    return BURL_OK;
  }
  burl_status status = tell(writer, diag);
  burl_png_writer_abandon(writer);
  return status;
}

burl_status burl_png_writer_open(burl_png_writer **writer, const char *path, size_t height,
                                 size_t width, size_t channels, burl_sample sample, const char *key,
                                 const char *text, burl_diag *diag) {
  burl_status status = check_shape(path, height, width, channels, sample, diag);
  if (status != BURL_OK) return status;
  if (key && (!text || strlen(key) < 1 || strlen(key) > 79 || !is_ascii(key)))
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL, "the text key \"%.100s\" is not valid",
                     key);
  burl_png_writer *made = make_writer(height, width, channels, sample);
  if (!made) return burl_fail_memory(diag, path);
  status = burl_output_open(&made->out, path, diag);
  if (status != BURL_OK) {
    burl_png_writer_abandon(made);
    return status;
  }
  made->to_file = 1;
  made->key = key;
  made->text = text;
  return start(writer, made, diag);
}

burl_status burl_png_writer_open_bytes(burl_png_writer **writer, size_t height, size_t width,
                                       size_t channels, burl_sample sample, burl_diag *diag) {
  burl_status status = check_shape(NULL, height, width, channels, sample, diag);
  if (status != BURL_OK) return status;
  burl_png_writer *made = make_writer(height, width, channels, sample);
  if (!made) return burl_fail_memory(diag, NULL);
  return start(writer, made, diag);
}

burl_status burl_png_writer_put(burl_png_writer *writer, const void *row) {
  if (writer->status == BURL_OK && writer->rows == writer->height)
    writer->status = BURL_ERR_ARGUMENT;
  if (writer->status != BURL_OK) return writer->status;
  run(writer, write_row, row);
  if (writer->status == BURL_OK) writer->rows++;
  return writer->status;
}

/* Ends the stream and tells any failure. */
static burl_status finish(burl_png_writer *writer, burl_diag *diag) {
  if (writer->status == BURL_OK && writer->rows == writer->height) run(writer, write_end, NULL);
  return tell(writer, diag);
}

burl_status burl_png_writer_commit(burl_png_writer *writer, burl_diag *diag) {
  burl_status status = finish(writer, diag);
  if (status == BURL_OK) {
    status = burl_output_commit(&writer->out, diag);
    writer->to_file = 0;
  }
  burl_png_writer_abandon(writer);
  return status;
}

burl_status burl_png_writer_commit_bytes(burl_png_writer *writer, unsigned char **bytes,
                                         size_t *size, burl_diag *diag) {
  burl_status status = finish(writer, diag);
  if (status == BURL_OK) {
    *bytes = writer->bytes;
    *size = writer->size;
    writer->bytes = NULL;
  }
  burl_png_writer_abandon(writer);
  return status;
}

void burl_png_writer_abandon(burl_png_writer *writer) {
  if (!writer) return;
  if (writer->to_file) burl_output_abandon(&writer->out);
  png_destroy_write_struct(&writer->png, &writer->info);
  free(writer->bytes);
  free(writer);
}

static void put_rows(burl_png_writer *writer, const burl_image *image) {
  size_t bytes = image->width * image->channels * (size_t)image->sample;
  const unsigned char *row = image->data;
  for (size_t y = 0; y < image->height; y++, row += bytes)
    if (burl_png_writer_put(writer, row) != BURL_OK) return;
}

burl_status burl_image_save_png(const burl_image *image, const char *path, burl_diag *diag) {
  burl_png_writer *writer = NULL;
  burl_status status = burl_png_writer_open(&writer, path, image->height, image->width,
                                            image->channels, image->sample, NULL, NULL, diag);
  if (status != BURL_OK) return status;
  put_rows(writer, image);
  return burl_png_writer_commit(writer, diag);
}

burl_status burl_image_encode_png(unsigned char **bytes, size_t *size, const burl_image *image,
                                  burl_diag *diag) {
  burl_png_writer *writer = NULL;
  burl_status status = burl_png_writer_open_bytes(&writer, image->height, image->width,
                                                  image->channels, image->sample, diag);
  if (status != BURL_OK) return status;
  put_rows(writer, image);
  return burl_png_writer_commit_bytes(writer, bytes, size, diag);
}
