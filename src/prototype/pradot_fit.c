/* Learning: batches of images are transported onto the prototypes, and every prototype keeps `ema`
 * of itself and takes the rest from the barycentre of what it received, features as they are. The
 * epoch with the lowest loss on held-out images is the one that counts.
 *
 * Everything random belongs to (seed, stream, index): the same split, order and start whatever the
 * threads. */
#include "prototype/pradot.h"

#include "base/diag.h"
#include "base/memory.h"
#include "base/random.h"
#include "num/magnitude.h"
#include "prototype/pradot_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "learning prototypes"

enum { STREAM_START = 1, STREAM_SPLIT, STREAM_DONORS, STREAM_EPOCHS };

typedef struct pradot_fit {
  const burl_pradot_options *options;
  const burl_observer *observer;
  const float *features; /* (images, patches, d) */
  size_t images, rows, cols, d, patches;
  size_t grid_rows, grid_cols, cells, k; /* of prototypes */
  size_t *shuffled;                      /* (images): held-out ones, then those learned from */
  size_t *order;                         /* (train) of an epoch */
  size_t held, train, batch, batches;
  float *prototypes, *directions, *centres, *best; /* (k,d) */
  float *patch_places, *cell_places;               /* (patches,2), (cells,2) */
  float *best_places, *where;                      /* (cells,2), (k,2) */
  float *place_costs;                              /* (patches,cells) */
  double *losses;                                  /* (epochs) */
  double place_max, divisor, epoch_max, epoch_loss;
  size_t kept, done;
  int not_negative, has_potentials;
  burl_pradot_plan *plan;
  burl_arena arena;
} pradot_fit;

static int options_are_valid(const burl_pradot_options *o) {
  int grid = isfinite(o->per_cell) && o->per_cell > 0.0 && o->per_cell <= 1e6 &&
             (o->per_cell < 1.0 || o->per_cell == floor(o->per_cell));
  int numbers = o->alpha >= 0.0 && o->alpha <= 1.0 && isfinite(o->eps) && o->eps >= 1e-4 &&
                o->eps <= 1e6 && o->tolerance >= 0.0 && o->ema >= 0.0 && o->ema <= 1.0 &&
                o->validation >= 0.0 && o->validation <= 0.9;
  int counts = o->sweeps >= 1 && o->batch >= 1 && o->epochs >= 1 && o->epochs <= INT32_MAX &&
               o->threads >= 1;
  int kinds = o->divisor >= BURL_PRADOT_BATCH_MAX && o->divisor <= BURL_PRADOT_EPOCH_MAX &&
              o->scale >= BURL_PRADOT_IMAGE_MAX && o->scale <= BURL_PRADOT_TRAINING_MAX &&
              o->start >= BURL_PRADOT_UNIFORM && o->start <= BURL_PRADOT_FEATURES &&
              o->store >= BURL_PRADOT_STORE_AUTO && o->store <= BURL_PRADOT_STORE_HALF;
  return grid && numbers && counts && kinds;
}

static burl_status choose_grid(pradot_fit *fit, burl_diag *diag) {
  double per_cell = fit->options->per_cell;
  size_t copies = per_cell >= 1.0 ? (size_t)per_cell : 1;
  fit->grid_rows = per_cell >= 1.0 ? fit->rows : (size_t)(per_cell * (double)fit->rows);
  fit->grid_cols = per_cell >= 1.0 ? fit->cols : (size_t)(per_cell * (double)fit->cols);
  if (fit->grid_rows == 0 || fit->grid_cols == 0)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Ask for more prototypes a cell.",
                     "%g prototypes a cell leave none on a grid of %zu x %zu cells", per_cell,
                     fit->rows, fit->cols);
  if (!burl_size_mul(&fit->cells, fit->grid_rows, fit->grid_cols) ||
      !burl_size_mul(&fit->k, fit->cells, copies) || fit->k > INT32_MAX)
    return burl_fail(diag, BURL_ERR_SIZE, NULL, "Ask for fewer prototypes a cell.",
                     "%g prototypes for each of %zu x %zu cells are too many", per_cell, fit->rows,
                     fit->cols);
  return BURL_OK;
}

static size_t count_held(size_t images, double validation) {
  size_t held = (size_t)(validation * (double)images);
  return held == 0 && validation > 0.0 && images > 1 ? 1 : held;
}

/* How many images are held out, learned from, and in a batch. */
static void choose_split(pradot_fit *fit) {
  const burl_pradot_options *o = fit->options;
  fit->held = count_held(fit->images, o->validation);
  fit->train = fit->images - fit->held;
  fit->batch = o->drop_last || o->batch < fit->train ? o->batch : fit->train;
  fit->batches = fit->train / fit->batch;
}

static void warn_of_no_batch(const pradot_fit *fit) {
  burl_diag note = {0};
  burl_fail(&note, BURL_ERR_DATA, NULL, "Allow batches of all images that there are.",
            "%zu images do not fill a batch of %zu: prototypes stay random", fit->train,
            fit->batch);
  burl_observe_problem(fit->observer, &note);
}

static burl_status check_features(pradot_fit *fit, burl_diag *diag) {
  size_t each = fit->patches * fit->d;
  fit->not_negative = 1;
  for (size_t image = 0; image < fit->images; image++) {
    const float *x = fit->features + image * each;
    if (!isfinite(burl_num_magnitude_float(x, each)))
      return burl_fail(diag, BURL_ERR_NUMERIC, NULL, "Check the encoder and its input.",
                       "a feature of image %zu is not finite", image + 1);
    int negative = 0;
    for (size_t i = 0; i < each; i++)
      negative |= x[i] < 0.0f;
    fit->not_negative &= !negative;
  }
  return BURL_OK;
}

static void *claim(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(pradot_fit *fit, size_t entries, size_t pairs) {
  burl_arena *arena = &fit->arena;
  fit->shuffled = claim(arena, fit->images, sizeof(size_t));
  fit->order = claim(arena, fit->images, sizeof(size_t));
  fit->prototypes = claim(arena, entries, sizeof(float));
  fit->directions = claim(arena, entries, sizeof(float));
  fit->centres = claim(arena, entries, sizeof(float));
  fit->best = claim(arena, entries, sizeof(float));
  fit->patch_places = claim(arena, fit->patches, 2 * sizeof(float));
  fit->cell_places = claim(arena, fit->cells, 2 * sizeof(float));
  fit->best_places = claim(arena, fit->cells, 2 * sizeof(float));
  fit->where = claim(arena, fit->k, 2 * sizeof(float));
  fit->place_costs = claim(arena, pairs, sizeof(float));
  fit->losses = claim(arena, fit->options->epochs, sizeof(double));
}

static size_t at_most(size_t count, size_t limit) {
  return count < limit ? count : limit;
}

/* Images in the largest problem. */
static size_t largest_batch(const pradot_fit *fit) {
  size_t train = at_most(fit->batch, fit->train), held = at_most(fit->batch, fit->held);
  return train > held ? train : held;
}

static burl_status make_room(pradot_fit *fit, burl_diag *diag) {
  size_t entries, pairs, bytes, n;
  const burl_pradot_options *o = fit->options;
  if (!burl_size_mul(&entries, fit->k, fit->d) || !burl_size_mul(&bytes, entries, 8) ||
      !burl_size_mul(&pairs, fit->patches, fit->cells) || !burl_size_mul(&bytes, pairs, 8) ||
      !burl_size_mul(&n, largest_batch(fit), fit->patches) || !burl_size_mul(&bytes, n, fit->k))
    return burl_fail(diag, BURL_ERR_SIZE, NULL, "Use smaller batches or fewer prototypes.",
                     "the transport plan is too large");
  int half = o->store == BURL_PRADOT_STORE_HALF ||
             (o->store == BURL_PRADOT_STORE_AUTO && n * fit->k > BURL_PRADOT_FLOAT_MOST);
  lay_out(fit, entries, pairs);
  if (!burl_arena_open(&fit->arena)) return burl_fail_memory(diag, NULL);
  lay_out(fit, entries, pairs);
  burl_status status =
      burl_pradot_plan_new(&fit->plan, n, fit->k, fit->cells, fit->d, half, o->threads);
  if (status)
    return burl_fail(diag, status, NULL, "Use smaller batches or fewer prototypes.",
                     "no room for a transport plan of %zu patches and %zu prototypes", n, fit->k);
  return BURL_OK;
}

static void shuffle(size_t *items, size_t count, uint64_t seed, uint64_t stream) {
  burl_random random = burl_random_start(seed, stream);
  for (size_t i = count; i > 1; i--) {
    size_t other = (size_t)burl_random_below(&random, i), item = items[i - 1];
    items[i - 1] = items[other];
    items[other] = item;
  }
}

size_t burl_pradot_split(size_t *order, size_t images, const burl_pradot_options *options) {
  for (size_t i = 0; i < images; i++)
    order[i] = i;
  shuffle(order, images, options->seed, STREAM_SPLIT);
  return count_held(images, options->validation);
}

static void place_prototypes(pradot_fit *fit) {
  burl_pradot_places(fit->patch_places, fit->rows, fit->cols);
  burl_pradot_places(fit->cell_places, fit->grid_rows, fit->grid_cols);
  if (fit->options->per_cell >= 1.0) return;
  for (size_t y = 0; y < fit->grid_rows; y++)
    for (size_t x = 0; x < fit->grid_cols; x++) {
      float *place = fit->cell_places + 2 * (y * fit->grid_cols + x);
      place[0] = (float)(((double)y + 0.5) / (double)fit->grid_rows);
      place[1] = (float)(((double)x + 0.5) / (double)fit->grid_cols);
    }
}

static double place_distance(const pradot_fit *fit, size_t patch, size_t cell) {
  double down = (double)fit->patch_places[2 * patch] - (double)fit->cell_places[2 * cell];
  double across = (double)fit->patch_places[2 * patch + 1] - (double)fit->cell_places[2 * cell + 1];
  return sqrt(down * down + across * across);
}

/* alpha times the distance over the largest one. */
static void set_place_costs(pradot_fit *fit) {
  fit->place_max = 0.0;
  for (size_t i = 0; i < fit->patches; i++)
    for (size_t c = 0; c < fit->cells; c++)
      fit->place_max = fmax(fit->place_max, place_distance(fit, i, c));
  double weight = fit->place_max > 0.0 ? fit->options->alpha / fit->place_max : 0.0;
  for (size_t i = 0; i < fit->patches; i++)
    for (size_t c = 0; c < fit->cells; c++)
      fit->place_costs[i * fit->cells + c] = (float)(weight * place_distance(fit, i, c));
}

/* The patch nearest to each cell, from training images in random order; the copies of a cell take
 * different images while there are any. */
static void start_from_features(pradot_fit *fit) {
  for (size_t c = 0; c < fit->cells; c++) {
    size_t nearest = 0;
    for (size_t i = 1; i < fit->patches; i++)
      if (place_distance(fit, i, c) < place_distance(fit, nearest, c)) nearest = i;
    memcpy(fit->order, fit->shuffled + fit->held, fit->train * sizeof *fit->order);
    shuffle(fit->order, fit->train, fit->options->seed, STREAM_EPOCHS + fit->options->epochs + c);
    for (size_t j = c; j < fit->k; j += fit->cells) {
      size_t image = fit->order[j / fit->cells % fit->train];
      memcpy(fit->prototypes + j * fit->d,
             fit->features + (image * fit->patches + nearest) * fit->d,
             fit->d * sizeof *fit->prototypes);
    }
  }
}

static void start(pradot_fit *fit) {
  const burl_pradot_options *o = fit->options;
  fit->held = burl_pradot_split(fit->shuffled, fit->images, o);
  place_prototypes(fit);
  set_place_costs(fit);
  if (o->start == BURL_PRADOT_FEATURES) {
    start_from_features(fit);
    return;
  }
  burl_random random = burl_random_start(o->seed, STREAM_START);
  for (size_t i = 0; i < fit->k * fit->d; i++)
    fit->prototypes[i] = (float)(burl_random_uniform(&random) * (1.0 - 0x1p-25));
}

static burl_pradot_problem problem_of(const pradot_fit *fit, const size_t *images, size_t count) {
  const burl_pradot_options *o = fit->options;
  return (burl_pradot_problem){.features = fit->features,
                               .images = images,
                               .count = count,
                               .patches = fit->patches,
                               .directions = fit->directions,
                               .places = fit->place_costs,
                               .alpha = o->alpha,
                               .divisor = fit->divisor,
                               .not_negative = fit->not_negative,
                               .eps = o->eps,
                               .tolerance = o->tolerance,
                               .sweeps = o->sweeps,
                               .warm = o->warm_start && fit->has_potentials};
}

/* The plan of some images; returns its largest feature cost. */
static double transport(pradot_fit *fit, burl_pradot_problem *problem) {
  burl_pradot_plan_info info;
  burl_pradot_directions(fit->directions, fit->prototypes, fit->k, fit->d);
  burl_pradot_plan_solve(fit->plan, problem, &info);
  fit->has_potentials = 1;
  return info.largest;
}

/* Every place a little towards the mean of where its prototypes receive from. */
static void move_places(pradot_fit *fit) {
  float stay = (float)fit->options->ema;
  size_t copies = fit->k / fit->cells;
  for (size_t c = 0; c < 2 * fit->cells; c++) {
    double sum = 0.0;
    for (size_t copy = 0; copy < copies; copy++)
      sum += (double)fit->where[copy * 2 * fit->cells + c];
    fit->cell_places[c] =
        stay * fit->cell_places[c] + (1.0f - stay) * (float)(sum / (double)copies);
  }
  set_place_costs(fit);
}

static void update(pradot_fit *fit, const size_t *images) {
  burl_pradot_problem problem = problem_of(fit, images, fit->batch);
  const burl_pradot_options *o = fit->options;
  fit->epoch_max = fmax(fit->epoch_max, transport(fit, &problem));
  if (fit->held == 0) fit->epoch_loss += burl_pradot_plan_loss(fit->plan);
  burl_pradot_plan_centres(fit->plan, fit->centres, o->learn_positions ? fit->where : NULL,
                           fit->patch_places);
  float stay = (float)o->ema, move = (float)(1.0 - o->ema);
  for (size_t i = 0; i < fit->k * fit->d; i++)
    fit->prototypes[i] = stay * fit->prototypes[i] + move * fit->centres[i];
  if (o->learn_positions) move_places(fit);
}

/* The mean loss of the held-out images, batch by batch; of the epoch's batches where none is. */
static double validate(pradot_fit *fit) {
  if (fit->held == 0) return fit->batches ? fit->epoch_loss / (double)fit->batches : 0.0;
  double sum = 0.0;
  for (size_t first = 0; first < fit->held; first += fit->batch) {
    size_t count = at_most(fit->held - first, fit->batch);
    burl_pradot_problem problem = problem_of(fit, fit->shuffled + first, count);
    transport(fit, &problem);
    sum += (double)count * burl_pradot_plan_loss(fit->plan);
  }
  return sum / (double)fit->held;
}

static void learn_epoch(pradot_fit *fit, size_t epoch) {
  const burl_pradot_options *o = fit->options;
  memcpy(fit->order, fit->shuffled + fit->held, fit->train * sizeof *fit->order);
  shuffle(fit->order, fit->train, o->seed, STREAM_EPOCHS + epoch);
  fit->epoch_max = fit->epoch_loss = 0.0;
  for (size_t b = 0; b < fit->batches; b++) {
    update(fit, fit->order + b * fit->batch);
    burl_observe_progress(fit->observer, STAGE, ++fit->done, fit->batches * o->epochs);
  }
  if (o->divisor == BURL_PRADOT_EPOCH_MAX) fit->divisor = fit->epoch_max;
  fit->losses[epoch] = validate(fit);
  if (epoch > 0 && !(fit->losses[epoch] < fit->losses[fit->kept])) return;
  fit->kept = epoch;
  memcpy(fit->best, fit->prototypes, fit->k * fit->d * sizeof *fit->best);
  memcpy(fit->best_places, fit->cell_places, 2 * fit->cells * sizeof *fit->best_places);
}

/* The largest feature cost between any training patch and a prototype. */
static double largest_cost(pradot_fit *fit) {
  double largest = 0.0;
  size_t batch = largest_batch(fit);
  burl_pradot_directions(fit->directions, fit->best, fit->k, fit->d);
  for (size_t first = 0; first < fit->images; first += batch) {
    burl_pradot_problem problem =
        problem_of(fit, fit->shuffled + first, at_most(fit->images - first, batch));
    largest = fmax(largest, burl_pradot_plan_largest(fit->plan, &problem));
  }
  return largest;
}

static burl_status finish(burl_pradot **pradot, pradot_fit *fit) {
  const burl_pradot_options *o = fit->options;
  memcpy(fit->cell_places, fit->best_places, 2 * fit->cells * sizeof *fit->best_places);
  set_place_costs(fit);
  for (size_t j = 0; j < fit->k; j++)
    memcpy(fit->where + 2 * j, fit->cell_places + 2 * (j % fit->cells), 2 * sizeof *fit->where);
  burl_pradot_parts parts = {.count = fit->k,
                             .d = fit->d,
                             .prototypes = fit->best,
                             .positions = fit->where,
                             .alpha = o->alpha,
                             .scale = o->scale,
                             .times_count = o->times_count,
                             .feature_max = largest_cost(fit),
                             .place_max = fit->place_max,
                             .losses = fit->losses,
                             .epochs = o->epochs,
                             .kept = fit->kept};
  burl_pradot_plan_free(fit->plan);
  fit->plan = NULL;
  return burl_pradot_new(pradot, &parts);
}

static burl_status prepare(pradot_fit *fit, burl_diag *diag) {
  size_t bytes;
  if (!options_are_valid(fit->options))
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                     "an option of the learner is out of range");
  if (fit->images == 0 || fit->rows == 0 || fit->cols == 0 || fit->d == 0)
    return burl_fail(diag, BURL_ERR_DATA, NULL, "Give at least one image.",
                     "%zu images of %zu x %zu patches with %zu features", fit->images, fit->rows,
                     fit->cols, fit->d);
  if (!burl_size_mul(&fit->patches, fit->rows, fit->cols) ||
      !burl_size_mul(&bytes, fit->patches, fit->d) || !burl_size_mul(&bytes, bytes, fit->images) ||
      !burl_size_mul(&bytes, bytes, sizeof(float)))
    return burl_fail(diag, BURL_ERR_SIZE, NULL, NULL, "the features are too many");
  burl_status status = choose_grid(fit, diag);
  if (!status) status = check_features(fit, diag);
  if (!status) {
    choose_split(fit);
    status = make_room(fit, diag);
  }
  if (!status && fit->batches == 0) warn_of_no_batch(fit);
  return status;
}

burl_status burl_pradot_fit(burl_pradot **pradot, const float *features, size_t images, size_t rows,
                            size_t cols, size_t d, const burl_pradot_options *options,
                            const burl_observer *observer, burl_diag *diag) {
  pradot_fit fit = {.options = options,
                    .observer = observer,
                    .features = features,
                    .images = images,
                    .rows = rows,
                    .cols = cols,
                    .d = d};
  burl_status status = prepare(&fit, diag);
  if (!status) {
    start(&fit);
    for (size_t epoch = 0; epoch < options->epochs; epoch++)
      learn_epoch(&fit, epoch);
    status = finish(pradot, &fit);
    if (status) burl_fail(diag, status, NULL, NULL, "the prototypes could not be kept");
  }
  burl_pradot_plan_free(fit.plan);
  burl_arena_close(&fit.arena);
  return status;
}
