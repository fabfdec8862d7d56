/* JPEG reading through libjpeg, row by row from the source into the image.
 *
 * libjpeg reports failures through error_exit, which may not return: it fills the diagnosis and
 * jumps. All state lives in the job, on the heap, so no local variable is alive across a jump. A
 * JPEG has no checksum; what libjpeg would only warn of (wrong codes, an early end, bytes left
 * over) is damage and refused, except for four notes that leave the pixels as they are.
 *
 * Before anything of image size is allocated: the limits, and a lower bound of what the blocks take
 * in the file (a bit for a block's first coefficient, in sequential files another for the others).
 * Arithmetic coding is refused, because there the end of the data cannot be told from its middle.
 */
#include "image/image_read.h"

#include "base/diag.h"
#include "base/memory.h"

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 1 << 16, MAX_SCANS = 100 };

typedef struct jpeg_job {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr input;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  burl_source *source;
  burl_diag *diag;
  burl_status status;
  burl_image image; /* what is being decoded, its data NULL until allocated */
  unsigned char buffer[BUFFER_BYTES];
} jpeg_job;

static const char *const save_again = "Copy or save the image again.";

/* Ends the step with a status that came with a diagnosis. */
static _Noreturn void stop(jpeg_job *job, burl_status status) {
  job->status = status;
  longjmp(job->jump, 1);
}

static int64_t get_offset(const jpeg_job *job) {
  return (int64_t)(job->source->at - job->input.bytes_in_buffer);
}

static void on_error(j_common_ptr common) {
  jpeg_job *job = common->client_data;
  const char *name = job->source->name;
  char message[JMSG_LENGTH_MAX];
  job->errors.format_message(common, message);
  switch (job->errors.msg_code) {
  case JERR_OUT_OF_MEMORY:
  case JERR_NO_BACKING_STORE:
    stop(job, burl_fail_memory(job->diag, name));
  case JERR_BAD_PRECISION:
  case JERR_SOF_UNSUPPORTED:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_CCIR601_NOTIMPL:
    stop(job, burl_fail(job->diag, BURL_ERR_UNSUPPORTED, name,
                        "Save it again as PNG, or as a plain 8-bit JPEG.",
                        "is a JPEG of a kind that is not supported: %s", message));
  default:
    stop(job, burl_fail_at(job->diag, BURL_ERR_FORMAT, name, get_offset(job), save_again,
                           "is a damaged JPEG: %s", message));
  }
}

/* level -1 is a warning, 0 and above are traces. */
static void on_message(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
  case JWRN_JFIF_MAJOR:     /* a JFIF version of the future */
  case JWRN_ADOBE_XFORM:    /* an unknown colour tag: taken as YCbCr */
  case JWRN_NOT_SEQUENTIAL: /* odd scan parameters that are not used */
  case JWRN_BOGUS_ICC:      /* a damaged colour profile, which is not used */
    return;
  default:
    on_error(common);
  }
}

static void stay_silent(j_common_ptr common) {
  (void)common;
}

/* Files with very many scans take very long on few bytes. */
static void watch_scans(j_common_ptr common) {
  jpeg_job *job = common->client_data;
  if (job->jpeg.input_scan_number > MAX_SCANS)
    stop(job, burl_fail_at(job->diag, BURL_ERR_UNSUPPORTED, job->source->name, get_offset(job),
                           "Save it again as PNG.", "is a JPEG of more than %d scans", MAX_SCANS));
}

static void do_nothing(j_decompress_ptr jpeg) {
  (void)jpeg;
}

static boolean fill_buffer(j_decompress_ptr jpeg) {
  jpeg_job *job = jpeg->client_data;
  job->input.bytes_in_buffer = burl_source_read(job->source, job->buffer, BUFFER_BYTES);
  job->input.next_input_byte = job->buffer;
  if (job->input.bytes_in_buffer == 0) stop(job, burl_source_fail(job->source, "JPEG", job->diag));
  return TRUE;
}

static void skip_bytes(j_decompress_ptr jpeg, long count) {
  jpeg_job *job = jpeg->client_data;
  while (count > (long)job->input.bytes_in_buffer) {
    count -= (long)job->input.bytes_in_buffer;
    fill_buffer(jpeg);
  }
  if (count > 0) {
    job->input.next_input_byte += count;
    job->input.bytes_in_buffer -= (size_t)count;
  }
}

static void set_callbacks(jpeg_job *job) {
  job->input.init_source = do_nothing;
  job->input.fill_input_buffer = fill_buffer;
  job->input.skip_input_data = skip_bytes;
  job->input.resync_to_restart = jpeg_resync_to_restart;
  job->input.term_source = do_nothing;
  job->jpeg.src = &job->input;
  job->progress.progress_monitor = watch_scans;
  job->jpeg.progress = &job->progress;
  job->jpeg.mem->max_memory_to_use = 0; /* not by the environment: bounded by check_ratio */
}

static burl_status refuse_kind(const jpeg_job *job, const char *what) {
  return burl_fail(job->diag, BURL_ERR_UNSUPPORTED, job->source->name,
                   "Save it again as PNG, or as a grey or RGB JPEG.", "is a JPEG %s", what);
}

static void read_header(jpeg_job *job) {
  struct jpeg_decompress_struct *jpeg = &job->jpeg;
  jpeg_create_decompress(jpeg);
  set_callbacks(job);
  (void)jpeg_read_header(jpeg, TRUE);
  burl_status status =
      burl_check_image_size(jpeg->image_height, jpeg->image_width, job->source, job->diag);
  if (status != BURL_OK) stop(job, status);
  if (jpeg->arith_code) stop(job, refuse_kind(job, "with arithmetic coding"));
  switch (jpeg->jpeg_color_space) {
  case JCS_GRAYSCALE:
    jpeg->out_color_space = JCS_GRAYSCALE;
    job->image.channels = 1;
    break;
  case JCS_RGB:
  case JCS_YCbCr:
    jpeg->out_color_space = JCS_RGB;
    job->image.channels = 3;
    break;
  default:
    stop(job, refuse_kind(job, jpeg->num_components == 4 ? "in CMYK (print) colours"
                                                         : "in unknown colours"));
  }
  job->image.height = jpeg->image_height;
  job->image.width = jpeg->image_width;
  job->image.sample = BURL_U8;
}

/* A file that is too short for its blocks is refused before memory is asked for. */
static void check_ratio(jpeg_job *job) {
  const struct jpeg_decompress_struct *jpeg = &job->jpeg;
  uint64_t bits = 0;
  for (int i = 0; i < jpeg->num_components; i++)
    bits += (uint64_t)jpeg->comp_info[i].width_in_blocks * jpeg->comp_info[i].height_in_blocks;
  if (!jpeg->progressive_mode) bits *= 2;
  if (bits / 8 <= job->source->size) return;
  stop(job,
       burl_fail(job->diag, BURL_ERR_FORMAT, job->source->name, save_again,
                 "is a damaged JPEG: it declares %zu x %zu pixels, which cannot fit in its %zu "
                 "bytes",
                 job->image.width, job->image.height, job->source->size));
}

static void read_pixels(jpeg_job *job) {
  struct jpeg_decompress_struct *jpeg = &job->jpeg;
  burl_image *image = &job->image;
  check_ratio(job);
  size_t row = image->width * image->channels;
  image->data = burl_alloc(image->height, row);
  if (!image->data) stop(job, burl_fail_memory(job->diag, job->source->name));
  (void)jpeg_start_decompress(jpeg);
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW line = (unsigned char *)image->data + jpeg->output_scanline * row;
    (void)jpeg_read_scanlines(jpeg, &line, 1);
  }
  (void)jpeg_finish_decompress(jpeg);
}

/* Runs a step unless one has failed before. */
static void run(jpeg_job *job, void (*step)(jpeg_job *)) {
  if (job->status == BURL_OK && setjmp(job->jump) == 0) step(job);
}

burl_status burl_jpeg_read(burl_image *image, burl_image_info *info, burl_source *source,
                           burl_diag *diag) {
  jpeg_job *job = burl_alloc_zero(1, sizeof *job);
  if (!job) return burl_fail_memory(diag, source->name);
  job->source = source;
  job->diag = diag;
  job->jpeg.err = jpeg_std_error(&job->errors);
  job->errors.error_exit = on_error;
  job->errors.emit_message = on_message;
  job->errors.output_message = stay_silent;
  job->jpeg.client_data = job;
  run(job, read_header);
  if (image) run(job, read_pixels);
  jpeg_destroy_decompress(&job->jpeg);
  burl_status status = job->status;
  if (status == BURL_OK) {
    *info = (burl_image_info){job->image.height, job->image.width, job->image.channels, BURL_U8};
    if (image) *image = job->image;
  } else {
    free(job->image.data);
  }
  free(job);
  return status;
}
