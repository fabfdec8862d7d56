/* PNG reading through libpng, row by row from the source into the image.
 *
 * libpng reports failures by longjmp. All state lives in the job, and every call into libpng is
 * made by a step that run() guards, so no local variable is alive across a jump. A step that fails
 * has filled the diagnosis before it jumps.
 *
 * Nothing of image size is allocated before the header is checked against the limits and against
 * what deflate can hold: one byte of it cannot give more than 1032 bytes. Chunks that do not carry
 * pixels are skipped unread, after their checksum.
 */
#include "image/image_read.h"

#include "base/diag.h"
#include "base/memory.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { DEFLATE_RATIO = 1032 };

typedef struct png_job {
  png_structp png;
  png_infop info;
  jmp_buf jump;
  burl_source *source;
  burl_diag *diag;
  burl_status status;
  int no_memory;
  int depth, colour_type;
  int colours, grey_palette; /* entries of the palette (0: none), and whether all are greys */
  unsigned char palette[256][3];
  burl_image image; /* what is being decoded, its data NULL until allocated */
} png_job;

/* Ends the step with a status that came with a diagnosis. */
static _Noreturn void stop(png_job *job, burl_status status) {
  job->status = status;
  longjmp(job->jump, 1);
}

static const char *const save_again = "Copy or save the image again.";

static void on_error(png_structp png, png_const_charp message) {
  png_job *job = png_get_error_ptr(png);
  if (job->no_memory) stop(job, burl_fail_memory(job->diag, job->source->name));
  stop(job, burl_fail_at(job->diag, BURL_ERR_FORMAT, job->source->name, (int64_t)job->source->at,
                         save_again, "is a damaged PNG: %s", message));
}

/* What libpng only warns of is an error where it concerns the pixels. */
static void on_warning(png_structp png, png_const_charp message) {
  if (strncmp(message, "IDAT", 4) == 0) on_error(png, message);
}

static png_voidp take_memory(png_structp png, png_alloc_size_t size) {
  png_job *job = png_get_mem_ptr(png);
  void *block = malloc(size);
  if (!block) job->no_memory = 1;
  return block;
}

static void give_memory(png_structp png, png_voidp block) {
  (void)png;
  free(block);
}

static void read_bytes(png_structp png, png_bytep data, size_t size) {
  png_job *job = png_get_io_ptr(png);
  if (burl_source_read(job->source, data, size) != size)
    stop(job, burl_source_fail(job->source, "PNG", job->diag));
}

static void read_palette(png_job *job) {
  png_colorp palette = NULL;
  if (!png_get_PLTE(job->png, job->info, &palette, &job->colours))
    png_error(job->png, "missing palette");
  job->grey_palette = 1;
  for (int i = 0; i < job->colours; i++) {
    const unsigned char colour[3] = {palette[i].red, palette[i].green, palette[i].blue};
    if (colour[0] != colour[1] || colour[0] != colour[2]) job->grey_palette = 0;
    memcpy(job->palette[i], colour, sizeof colour);
  }
}

static void read_header(png_job *job) {
  png_structp png = job->png;
  png_uint_32 width, height;
  png_set_read_fn(png, job, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
  png_read_info(png, job->info);
  png_get_IHDR(png, job->info, &width, &height, &job->depth, &job->colour_type, NULL, NULL, NULL);
  burl_status status = burl_check_image_size(height, width, job->source, job->diag);
  if (status != BURL_OK) stop(job, status);
  if (job->colour_type == PNG_COLOR_TYPE_PALETTE) read_palette(job);
  job->image.height = height;
  job->image.width = width;
  job->image.channels = (job->colour_type & PNG_COLOR_MASK_COLOR) && !job->grey_palette ? 3 : 1;
  job->image.sample = job->depth == 16 ? BURL_U16 : BURL_U8;
}

/* A file that is too short for its image is refused before memory is asked for. */
static void check_ratio(png_job *job) {
  uint64_t filtered =
      (uint64_t)png_get_rowbytes(job->png, job->info) * job->image.height; /* at least */
  if (filtered / DEFLATE_RATIO <= job->source->size) return;
  stop(job, burl_fail(job->diag, BURL_ERR_FORMAT, job->source->name, save_again,
                      "is a damaged PNG: it declares %zu x %zu pixels, which cannot fit in its %zu "
                      "bytes",
                      job->image.width, job->image.height, job->source->size));
}

/* Has libpng deliver the samples as burl_image has them. Returns the number of passes. */
static int set_transformations(png_job *job) {
  const uint16_t one = 1;
  png_structp png = job->png;
  if (job->colours > 0)
    png_set_packing(png); /* one index a byte */
  else if (job->depth < 8)
    png_set_expand_gray_1_2_4_to_8(png);
  if (job->colour_type & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(png);
  if (job->depth == 16 && *(const unsigned char *)&one == 1) png_set_swap(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, job->info);
  return passes;
}

/* Replaces indices by colours. They lie in the last n bytes of the samples, so that a colour is
 * written only over indices that have been used. */
static void apply_palette(png_job *job, size_t n) {
  size_t channels = job->image.channels;
  unsigned char *out = job->image.data;
  const unsigned char *index = out + (channels - 1) * n;
  int largest = 0;
  for (size_t i = 0; i < n; i++, out += channels) {
    int v = index[i];
    largest = v > largest ? v : largest;
    out[0] = job->palette[v][0];
    if (channels == 1) continue;
    out[1] = job->palette[v][1];
    out[2] = job->palette[v][2];
  }
  if (largest >= job->colours) png_error(job->png, "a pixel lies outside its palette");
}

static void read_pixels(png_job *job) {
  burl_image *image = &job->image;
  check_ratio(job);
  int passes = set_transformations(job);
  size_t pixels = image->height * image->width;
  size_t row = image->width * image->channels * (size_t)image->sample;
  image->data = burl_alloc(image->height, row);
  if (!image->data) stop(job, burl_fail_memory(job->diag, job->source->name));
  unsigned char *rows = image->data;
  if (job->colours > 0) {
    row = image->width;
    rows += (image->channels - 1) * pixels;
  }
  if (png_get_rowbytes(job->png, job->info) != row)
    png_error(job->png, "its rows do not have the declared size");
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = 0; y < image->height; y++)
      png_read_row(job->png, rows + y * row, NULL);
  png_read_end(job->png, NULL);
  if (job->colours > 0) apply_palette(job, pixels);
}

/* Runs a step unless one has failed before. */
static void run(png_job *job, void (*step)(png_job *)) {
  if (job->status == BURL_OK && setjmp(job->jump) == 0) step(job);
}

burl_status burl_png_read(burl_image *image, burl_image_info *info, burl_source *source,
                          burl_diag *diag) {
  png_job job = {.source = source, .diag = diag};
  job.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning, &job,
                                     take_memory, give_memory);
  if (job.png) job.info = png_create_info_struct(job.png);
  if (!job.info) job.status = burl_fail_memory(diag, source->name);
  run(&job, read_header);
  if (image) run(&job, read_pixels);
  png_destroy_read_struct(&job.png, &job.info, NULL);
  if (job.status != BURL_OK) {
    free(job.image.data);
    return job.status;
  }
  *info =
      (burl_image_info){job.image.height, job.image.width, job.image.channels, job.image.sample};
  if (image) *image = job.image;
  return BURL_OK;
}
